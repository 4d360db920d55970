/** A hooked decoder-only language model: one forward loop for all families; a family brings its embedding, blocks and head. */
import { tf } from '../tf'
import type { KeyValueCache } from './cache'
import type { FamilyNet, ModelConfig } from './family'
import { blockHook, HookPass, listHooks, requireHook } from './hooks'
import type { HookOptions, HookPoint } from './hooks'
import { FROM_START } from './positions'
import type { Positions } from './positions'

export type ForwardOptions = HookOptions & {
  /** Keys and values of earlier positions; `ids` then are only the new ones. The cache takes the new ones in. */
  cache?: KeyValueCache
  /** Columns of padding at the start of each row, for texts of unequal length that are continued together. */
  padding?: readonly number[]
  /** Logits of the last column only, [batch, 1, vocabulary]: all that generation needs. */
  lastOnly?: boolean
}

export type ForwardResult = {
  /** [batch, time, vocabulary] (with `lastOnly` time is 1), or null when the pass was stopped at a hook. */
  logits: tf.Tensor3D | null
  /** The wanted hooks that were reached. Two hooks may share one tensor (resid_post of a block, resid_pre of the next). */
  captured: Record<string, tf.Tensor>
}

export class LanguageModel {
  constructor(
    readonly config: ModelConfig,
    private readonly net: FamilyNet,
    /** Blocks that are loaded, from the first on; a pass must end in one of them. */
    private readonly blocks = config.layers,
  ) {}

  /**
   * Runs the model. Attention is causal and positions start at 0, so padding on the right never changes what comes before it, as
   * long as it does not carry a text of a longrope model beyond its `cacheBorder`.
   * Intermediate tensors are disposed; logits and captured tensors belong to the caller (return them from a tidy, or dispose).
   * @param ids int32 [batch, time]
   * @throws AppError hook-unknown, hook-absent for a name in capture, intervene or stopAfter
   */
  forward(ids: tf.Tensor2D, options: ForwardOptions = {}): ForwardResult {
    this.#requireHooks(options)
    const pass = new HookPass(options)
    const kept = tf.tidy(() => {
      const positions = { offset: options.cache?.length ?? 0, padding: options.padding ?? null }
      const embedded = pass.visit('hook_embed', this.net.embed(ids, positions))
      const x = this.#runBlocks(embedded, { pass, first: 0, positions, cache: options.cache ?? null })
      options.cache?.advance(ids.shape[1])
      if (pass.hasStopped()) return { captured: pass.captured, logits: [] }
      const [batch, time, dModel] = x.shape
      const read: tf.Tensor3D = options.lastOnly ? tf.slice(x, [0, time - 1, 0], [batch, 1, dModel]) : x
      return { captured: pass.captured, logits: [this.net.unembed(read)] }
    })
    return { captured: kept.captured, logits: kept.logits[0] ?? null }
  }

  /**
   * The residual stream after the last block that follows from a given one: runs the blocks after `layer` (-1: all of them).
   * @param resid residual after block `layer` [batch, time, dModel]
   * @returns [batch, time, dModel]
   */
  residAfter(resid: tf.Tensor3D, layer: number, options: Omit<HookOptions, 'stopAfter'> = {}): tf.Tensor3D {
    this.#requireHooks(options)
    return tf.tidy(() => {
      const pass = new HookPass(options)
      // A copy where no block is left to run: what is returned is the caller's, and `resid` stays theirs too.
      return tf.clone(this.#runBlocks(resid, { pass, first: layer + 1, positions: FROM_START, cache: null }))
    })
  }

  /**
   * Logits of positions of the residual stream after the last block; for a large vocabulary of a few positions at a time.
   * @param resid [batch, time, dModel]
   * @returns [batch, time, vocabulary]
   */
  unembed(resid: tf.Tensor3D): tf.Tensor3D {
    return tf.tidy(() => this.net.unembed(resid))
  }

  /** Logits that follow from a given residual stream: {@link residAfter}, and the head on every position. */
  fromResid(resid: tf.Tensor3D, layer: number, options: Omit<HookOptions, 'stopAfter'> = {}): tf.Tensor3D {
    return tf.tidy(() => this.unembed(this.residAfter(resid, layer, options)))
  }

  /**
   * What directions of the residual stream add to the logits, were they written to it after the last block and the final norm's
   * division left out: W_U (g * v). The logit weights of a feature are those of its decoder row (direct logit attribution, Elhage et al. 2021).
   * @param directions [n, dModel]
   * @returns [n, vocabulary]
   */
  directLogits(directions: tf.Tensor2D): tf.Tensor2D {
    return tf.tidy(() => this.net.project(directions))
  }

  /** Every hook of this model, in the order a pass reaches them. */
  hookNames(): string[] {
    return listHooks(this.config.layers, this.config.absentHooks)
  }

  /** @throws AppError hook-unknown, hook-absent */
  requireHook(hookName: string): HookPoint {
    return requireHook(hookName, this.config.layers, this.config.absentHooks)
  }

  /** Frees the weights. The model cannot be used afterwards. */
  dispose(): void {
    this.net.dispose()
  }

  #runBlocks(
    start: tf.Tensor3D,
    {
      pass,
      first,
      positions,
      cache,
    }: {
      pass: HookPass
      first: number
      positions: Positions
      cache: KeyValueCache | null
    },
  ): tf.Tensor3D {
    let x = start
    for (let layer = first; layer < this.config.layers && !pass.hasStopped(); layer++) {
      if (layer >= this.blocks) throw new Error(`only the first ${this.blocks} blocks of the model are loaded`)
      x = pass.visit(blockHook(layer, 'hook_resid_pre'), x)
      if (pass.hasStopped()) break
      const input = x
      const context = { pass, layer, positions, cache: cache?.layer(layer) ?? null }
      x = pass.tidy(() => this.net.block(input, context))
      if (pass.hasStopped()) break
      x = pass.visit(blockHook(layer, 'hook_resid_post'), x)
    }
    return x
  }

  #requireHooks({ capture = [], intervene = {}, stopAfter }: HookOptions): void {
    for (const hookName of [...capture, ...Object.keys(intervene), ...(stopAfter ? [stopAfter] : [])]) {
      this.requireHook(hookName)
    }
  }
}
