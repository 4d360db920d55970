/** The gpt_neox family (Pythia): parallel residuals, partial rotary positions, one map interleaved by head (Black et al. 2022). */
import { z } from 'zod'
import { tf } from '../tf'
import { geluNamed } from './activations'
import type { Family, LoadedWeights, TensorShapes } from './family'
import { gptModel, headWidth, tokenId } from './gpt-net'
import type { GptBlock, GptConfig, GptParts, QueryKeyValue } from './gpt-net'
import { Linear } from './linear'
import { LayerNorm } from './norms'
import { RopeJson, ropeScaling, rotatingWidth } from './rope-config'
import { Rotary } from './rotary'
import type { RopeScaling } from './rotary'

const width = z.int().min(1).max(1_000_000)

const GptNeoXJson = z.looseObject({
  hidden_size: width,
  num_hidden_layers: z.int().min(1).max(1000),
  num_attention_heads: z.int().min(1).max(4096),
  max_position_embeddings: z.int().min(1).max(100_000_000).default(2048),
  intermediate_size: width,
  vocab_size: z.int().min(1).max(4_000_000),
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().default(10000),
  rope_scaling: RopeJson.nullish(),
  /** Newer name for the three above together. */
  rope_parameters: RopeJson.nullish(),
  layer_norm_eps: z.number().positive().max(1).default(1e-5),
  hidden_act: z.string().default('gelu'),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: z.unknown().optional(),
  quantization_config: z.unknown().optional(),
})

type GptNeoXConfig = GptConfig & {
  attentionBias: boolean
  theta: number
  scaling: RopeScaling
  /** Features of a head that are rotated. */
  rotating: number
}

/** @throws z.ZodError, or Error with a reason for what is not supported */
function parseConfig(json: unknown): GptNeoXConfig {
  const config = GptNeoXJson.parse(json)
  const { hidden_size: dModel, num_hidden_layers: layers, num_attention_heads: heads, rope_parameters: rope } = config
  if (config.quantization_config) throw new Error('quantised weights are not supported')
  const headDim = headWidth(dModel, heads)
  const contextSize = config.max_position_embeddings
  const scaling = ropeScaling(rope ?? config.rope_scaling, { contextSize, originalContext: null })
  if (scaling.type === 'longrope') throw new Error('rope_scaling of type longrope is not supported')
  return {
    ...{ family: 'gpt_neox', layers, dModel, heads, kvHeads: heads, headDim, vocabulary: config.vocab_size },
    contextSize,
    bosId: tokenId(config.bos_token_id),
    dMlp: config.intermediate_size,
    normEps: config.layer_norm_eps,
    isTied: config.tie_word_embeddings,
    gelu: geluNamed(config.hidden_act),
    queryScale: () => 1 / Math.sqrt(headDim),
    window: () => null,
    isParallel: config.use_parallel_residual,
    attentionBias: config.attention_bias,
    theta: rope?.rope_theta ?? config.rotary_emb_base,
    scaling,
    rotating: rotatingWidth(headDim, rope?.partial_rotary_factor ?? config.rotary_pct, scaling),
  }
}

/** Every tensor with its stored shape. Mask and rotary buffers of published checkpoints are left where they are. */
function shapesOf({ dModel, dMlp, layers, vocabulary, isTied, attentionBias }: GptNeoXConfig): TensorShapes {
  const shapes: TensorShapes = new Map([['embed_in.weight', [vocabulary, dModel]]])
  const norm = (name: string) => shapes.set(`${name}.weight`, [dModel]).set(`${name}.bias`, [dModel])
  const map = (name: string, { from, out, bias }: { from: number; out: number; bias: boolean }) => {
    shapes.set(`${name}.weight`, [out, from])
    if (bias) shapes.set(`${name}.bias`, [out])
  }
  for (let layer = 0; layer < layers; layer++) {
    const block = `layers.${layer}`
    norm(`${block}.input_layernorm`)
    map(`${block}.attention.query_key_value`, { from: dModel, out: 3 * dModel, bias: attentionBias })
    map(`${block}.attention.dense`, { from: dModel, out: dModel, bias: attentionBias })
    norm(`${block}.post_attention_layernorm`)
    map(`${block}.mlp.dense_h_to_4h`, { from: dModel, out: dMlp, bias: true })
    map(`${block}.mlp.dense_4h_to_h`, { from: dMlp, out: dModel, bias: true })
  }
  norm('final_layer_norm')
  if (!isTied) shapes.set('embed_out.weight', [vocabulary, dModel])
  return shapes
}

/** One map whose outputs are query, key and value of the first head, then those of the second, and so on. */
class InterleavedMap implements QueryKeyValue {
  readonly #map: Linear
  readonly #config: GptConfig

  constructor(map: Linear, config: GptConfig) {
    this.#map = map
    this.#config = config
  }

  split(rows: tf.Tensor2D) {
    const { heads, headDim } = this.#config
    const count = rows.shape[0]
    const perHead: tf.Tensor3D = tf.reshape(this.#map.apply(rows), [count, heads, 3 * headDim])
    const cut = (part: number) => tf.slice(perHead, [0, 0, part * headDim], [count, heads, headDim])
    return { q: cut(0), k: cut(1), v: cut(2) }
  }

  dispose(): void {
    this.#map.dispose()
  }
}

function blockOf(weights: LoadedWeights, layer: number, config: GptNeoXConfig): GptBlock {
  const map = (name: string) => new Linear(weights, `layers.${layer}.${name}`)
  const norm = (name: string) => new LayerNorm(weights, `layers.${layer}.${name}`, config.normEps)
  return {
    attentionNorm: norm('input_layernorm'),
    qkv: new InterleavedMap(map('attention.query_key_value'), config),
    output: map('attention.dense'),
    mlpNorm: norm('post_attention_layernorm'),
    up: map('mlp.dense_h_to_4h'),
    down: map('mlp.dense_4h_to_h'),
  }
}

const partsOf = (weights: LoadedWeights, config: GptNeoXConfig): GptParts => ({
  tokens: weights.matrix('embed_in.weight'),
  positions: null,
  rotary: new Rotary(config.headDim, config.theta, config.scaling, config.rotating),
  blocks: Array.from({ length: weights.blocks }, (_, layer) => blockOf(weights, layer, config)),
  finalNorm: new LayerNorm(weights, 'final_layer_norm', config.normEps),
  head: weights.has('embed_out.weight') ? new Linear(weights, 'embed_out') : null,
})

/** Reads `model_type` gpt_neox, with or without `gpt_neox.` before its names. */
export const gptNeoX: Family = {
  modelType: 'gpt_neox',
  parse(json) {
    const config = parseConfig(json)
    return gptModel(config, shapesOf(config), (weights) => partsOf(weights, config))
  },
}
