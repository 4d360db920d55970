/** Hook points: the named places of a forward pass, as TransformerLens names them, where values can be read and replaced. */
import { AppError } from '../../../shared/errors'
import type { tf } from '../tf'

const BLOCK_HOOKS = [
  'hook_resid_pre',
  'attn.hook_pattern',
  'hook_attn_out',
  'hook_resid_mid',
  'mlp.hook_post',
  'hook_mlp_out',
  'hook_resid_post',
] as const
export type BlockHook = (typeof BLOCK_HOOKS)[number]

/** A place in a model; `layer` is -1 for `hook_embed`, which comes before block 0. */
export type HookPoint = { layer: number; site: 'hook_embed' | BlockHook }

const isBlockHook = (site: string): site is BlockHook => BLOCK_HOOKS.some((known) => known === site)

/** What a hook name says, or null when it says nothing. Does not know how many layers a model has. */
export function parseHook(hookName: string): HookPoint | null {
  if (hookName === 'hook_embed') return { layer: -1, site: 'hook_embed' }
  const [, layer, site] = /^blocks\.(0|[1-9]\d{0,4})\.(.+)$/.exec(hookName) ?? []
  return layer !== undefined && site !== undefined && isBlockHook(site) ? { layer: Number(layer), site } : null
}

export const blockHook = (layer: number, site: BlockHook): string => `blocks.${layer}.${site}`

/**
 * Every hook of a model with so many blocks, in the order a forward pass reaches them.
 * @param absent hooks that its blocks do not have
 */
export function listHooks(layers: number, absent: readonly BlockHook[] = []): string[] {
  const names = ['hook_embed']
  const sites = BLOCK_HOOKS.filter((site) => !absent.includes(site))
  for (let layer = 0; layer < layers; layer++) names.push(...sites.map((site) => blockHook(layer, site)))
  return names
}

/**
 * @param absent hooks that the blocks of the model do not have
 * @throws AppError hook-unknown when the name is none, or its layer is beyond the model; hook-absent when its blocks lack it
 */
export function requireHook(hookName: string, layers: number, absent: readonly BlockHook[] = []): HookPoint {
  const point = parseHook(hookName)
  if (!point || point.layer >= layers) throw new AppError('hook-unknown', { hookName, lastLayer: layers - 1 })
  if (absent.some((site) => site === point.site)) throw new AppError('hook-absent', { hookName })
  return point
}

export type Intervention = (x: tf.Tensor) => tf.Tensor

export type HookOptions = {
  /** Hooks whose values are wanted. */
  capture?: string[]
  /** Replaces the value at a hook; must keep its shape. Runs before the capture, so a capture sees the new value. */
  intervene?: Record<string, Intervention>
  /** Ends the pass when this hook was reached; there are no logits then. */
  stopAfter?: string
}

/** One forward pass as its hooks see it. */
export class HookPass {
  readonly captured: Record<string, tf.Tensor> = {}
  readonly #capture: Set<string>
  readonly #intervene: Record<string, Intervention>
  readonly #stopAfter: string | undefined
  #stopped = false

  constructor(options: HookOptions) {
    this.#capture = new Set(options.capture)
    this.#intervene = options.intervene ?? {}
    this.#stopAfter = options.stopAfter
  }

  hasStopped(): boolean {
    return this.#stopped
  }

  /** Whether anything happens at a hook, so that a value nobody asks for need not be formed. */
  wants(hookName: string): boolean {
    return this.#capture.has(hookName) || this.#intervene[hookName] !== undefined || this.#stopAfter === hookName
  }

  /** Passes a value through a hook. After the last one `hasStopped()` holds and the caller returns at once. */
  visit<T extends tf.Tensor>(hookName: string, x: T): T {
    const intervention = this.#intervene[hookName]
    const value = intervention ? intervention(x) : x
    if (intervention && value.shape.join() !== x.shape.join()) {
      throw new Error(`an intervention at ${hookName} changed [${x.shape.join()}] to [${value.shape.join()}]`)
    }
    if (this.#capture.has(hookName)) this.captured[hookName] = value
    if (this.#stopAfter === hookName) this.#stopped = true
    // The shape was just checked, so the value has the rank of x.
    return value as T
  }
}
