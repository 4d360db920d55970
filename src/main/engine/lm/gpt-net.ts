/** The network of the GPT families: LayerNorm, a plain GELU MLP, positions learned or rotary, residuals one after another or parallel. */
import { tf } from '../tf'
import type { geluErf } from './activations'
import { attend, headsFirst } from './attention'
import { HeadsError } from './family'
import type { BlockContext, ConfigFacts, FamilyModel, FamilyNet, LoadedWeights, TensorShapes } from './family'
import { blockHook } from './hooks'
import { Linear } from './linear'
import { LayerNorm } from './norms'
import { rowsAt } from './positions'
import { mapRows } from './row-blocks'
import type { Positions } from './positions'
import type { Rotary } from './rotary'

/** What config.json says of such a network. */
export type GptConfig = ConfigFacts & {
  dMlp: number
  normEps: number
  isTied: boolean
  gelu: typeof geluErf
  /** What queries of a layer are multiplied by. */
  queryScale(layer: number): number
  /** How many positions, itself included, a token of this layer attends to; null is all. */
  window(layer: number): number | null
  /** Whether attention and MLP both read the stream that enters the block, and both add to it. */
  isParallel: boolean
}

type PerHead = { q: tf.Tensor3D; k: tf.Tensor3D; v: tf.Tensor3D }

/** The maps to queries, keys and values, however a checkpoint stores them. */
export type QueryKeyValue = {
  /** [rows, dModel] -> [rows, heads, headDim] each */
  split(rows: tf.Tensor2D): PerHead
  dispose(): void
}

export type GptBlock = {
  attentionNorm: LayerNorm
  qkv: QueryKeyValue
  output: Linear
  mlpNorm: LayerNorm
  up: Linear
  down: Linear
}

/** Everything with weights; the network owns it. */
export type GptParts = {
  /** [vocabulary, dModel] */
  tokens: tf.Tensor2D
  /** Learned positions [contextSize, dModel], or null where queries and keys are rotated instead. */
  positions: tf.Tensor2D | null
  rotary: Rotary | null
  blocks: GptBlock[]
  finalNorm: LayerNorm
  /** Null where the head is the transposed embedding. */
  head: Linear | null
}

class GptNet implements FamilyNet {
  readonly #config: GptConfig
  readonly #parts: GptParts
  /** The embedding transposed, made when logits are first asked for: collecting activations never needs it. */
  #tiedHead: tf.Tensor2D | null = null

  constructor(config: GptConfig, parts: GptParts) {
    this.#config = config
    this.#parts = parts
  }

  embed(ids: tf.Tensor2D, places: Positions): tf.Tensor3D {
    const [batch, time] = ids.shape
    const { dModel } = this.#config
    const { tokens, positions } = this.#parts
    const embedded: tf.Tensor3D = tf.reshape(tf.gather(tokens, tf.reshape(ids, [-1])), [batch, time, dModel])
    return positions ? tf.add(embedded, rowsAt(positions, places, time)) : embedded
  }

  block(x: tf.Tensor3D, context: BlockContext): tf.Tensor3D {
    const { pass, layer } = context
    const block = this.#blockOf(layer)
    const attentionOut = pass.tidy(() => this.#attention(block.attentionNorm.apply(x), block, context))
    if (pass.hasStopped()) return x
    const addedByAttention = pass.visit(blockHook(layer, 'hook_attn_out'), attentionOut)
    if (pass.hasStopped()) return x
    const sum: tf.Tensor3D = tf.add(x, addedByAttention)
    const middle = this.#config.isParallel ? sum : pass.visit(blockHook(layer, 'hook_resid_mid'), sum)
    if (pass.hasStopped()) return x
    const mlpIn = this.#config.isParallel ? x : middle
    const mlpOut = pass.tidy(() => this.#mlp(block.mlpNorm.apply(mlpIn), block, context))
    if (pass.hasStopped()) return x
    const addedByMlp = pass.visit(blockHook(layer, 'hook_mlp_out'), mlpOut)
    return pass.hasStopped() ? x : tf.add(middle, addedByMlp)
  }

  unembed(x: tf.Tensor3D): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { finalNorm, head } = this.#parts
    const rows: tf.Tensor2D = tf.reshape(finalNorm.apply(x), [batch * time, dModel])
    const logits = head ? head.apply(rows) : tf.matMul(rows, this.#transposedEmbedding())
    return tf.reshape(logits, [batch, time, this.#config.vocabulary])
  }

  project(directions: tf.Tensor2D): tf.Tensor2D {
    const { finalNorm, head } = this.#parts
    const scaled = finalNorm.linear(directions)
    return head ? head.map(scaled) : tf.matMul(scaled, this.#transposedEmbedding())
  }

  dispose(): void {
    const { blocks, tokens, positions, rotary, finalNorm, head } = this.#parts
    for (const block of blocks) for (const part of Object.values(block)) part.dispose()
    for (const part of [tokens, positions, rotary, finalNorm, head, this.#tiedHead]) part?.dispose()
  }

  #attention(x: tf.Tensor3D, block: GptBlock, context: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { heads, headDim, queryScale, window } = this.#config
    const { rotary } = this.#parts
    const shaped = (part: tf.Tensor3D): tf.Tensor4D => tf.reshape(part, [batch, time, heads, headDim])
    const placed = (part: tf.Tensor3D) => (rotary ? rotary.apply(shaped(part), context.positions) : shaped(part))
    const parts = tf.tidy(() => {
      const { q, k, v } = block.qkv.split(tf.reshape(x, [batch * time, dModel]))
      return {
        q: headsFirst(tf.mul(placed(q), queryScale(context.layer))),
        k: headsFirst(placed(k)),
        v: headsFirst(shaped(v)),
      }
    })
    const mixed = attend(parts, context, { window: window(context.layer) })
    return tf.reshape(block.output.apply(tf.reshape(mixed, [batch * time, dModel])), [batch, time, dModel])
  }

  #mlp(x: tf.Tensor3D, block: GptBlock, { pass, layer }: BlockContext): tf.Tensor3D {
    const [batch, time, dModel] = x.shape
    const { dMlp, gelu } = this.#config
    const rows: tf.Tensor2D = tf.reshape(x, [batch * time, dModel])
    const hookName = blockHook(layer, 'mlp.hook_post')
    const neuronsOf = (some: tf.Tensor2D) => gelu(block.up.apply(some))
    if (!pass.wants(hookName)) {
      return tf.reshape(
        mapRows(rows, (some) => block.down.apply(neuronsOf(some))),
        [batch, time, dModel],
      )
    }
    const post = pass.visit<tf.Tensor3D>(hookName, tf.reshape(mapRows(rows, neuronsOf), [batch, time, dMlp]))
    if (pass.hasStopped()) return x
    return tf.reshape(block.down.apply(tf.reshape(post, [batch * time, dMlp])), [batch, time, dModel])
  }

  #blockOf(layer: number): GptBlock {
    const block = this.#parts.blocks[layer]
    if (!block) throw new Error(`the model has no block ${layer}`)
    return block
  }

  #transposedEmbedding(): tf.Tensor2D {
    this.#tiedHead ??= tf.keep(tf.transpose(this.#parts.tokens))
    return this.#tiedHead
  }
}

/** A model of a GPT family from its config, the tensors it needs and the parts made of them. */
export function gptModel(
  config: GptConfig,
  shapes: TensorShapes,
  partsOf: (weights: LoadedWeights) => GptParts,
): FamilyModel {
  const { family, layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId, isParallel } = config
  return {
    facts: {
      ...{ family, layers, dModel, heads, kvHeads, headDim, vocabulary, contextSize, bosId },
      ...(isParallel && { absentHooks: ['hook_resid_mid'] as const }),
    },
    shapes: () => shapes,
    build: (weights) => new GptNet(config, partsOf(weights)),
  }
}

/** Builds one block of a family from its weights. */
export type BlockBuilder = (weights: LoadedWeights, layer: number, config: GptConfig) => GptBlock

/** The parts of gpt2 and gpt_neo, which differ in their blocks only: learned positions, the names of the rest. */
export const learnedPositionParts = (weights: LoadedWeights, config: GptConfig, blockOf: BlockBuilder): GptParts => ({
  tokens: weights.matrix('wte.weight'),
  positions: weights.matrix('wpe.weight'),
  rotary: null,
  blocks: Array.from({ length: weights.blocks }, (_, layer) => blockOf(weights, layer, config)),
  finalNorm: new LayerNorm(weights, 'ln_f', config.normEps),
  head: weights.has('lm_head.weight') ? new Linear(weights, 'lm_head') : null,
})

/** Width of a head. @throws HeadsError when heads do not divide the width */
export function headWidth(dModel: number, heads: number): number {
  if (dModel % heads !== 0) throw new HeadsError(`a width of ${dModel} cannot be shared by ${heads} heads`)
  return dModel / heads
}

/** A token id of a config, or null where it has none, or a list. */
export const tokenId = (id: unknown): number | null => (typeof id === 'number' && Number.isInteger(id) ? id : null)
