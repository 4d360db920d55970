/** The gpt2 family: LayerNorm, learned positions, one fused map for queries, keys and values, tanh GELU (Radford et al. 2019). */
import { z } from 'zod'
import { tf } from '../tf'
import { geluNamed } from './activations'
import type { Family, LoadedWeights, TensorShapes } from './family'
import { gptModel, headWidth, learnedPositionParts, tokenId } from './gpt-net'
import type { GptBlock, GptConfig, QueryKeyValue } from './gpt-net'
import { Linear } from './linear'
import { LayerNorm } from './norms'

const width = z.int().min(1).max(1_000_000)

const Gpt2Json = z.looseObject({
  n_embd: width,
  n_layer: z.int().min(1).max(1000),
  n_head: z.int().min(1).max(4096),
  n_positions: z.int().min(1).max(100_000_000).default(1024),
  n_inner: width.nullish(),
  vocab_size: z.int().min(1).max(4_000_000),
  layer_norm_epsilon: z.number().positive().max(1).default(1e-5),
  activation_function: z.string().default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  bos_token_id: z.unknown().optional(),
})

/** @throws z.ZodError, or Error with a reason for what is not supported */
function parseConfig(json: unknown): GptConfig {
  const config = Gpt2Json.parse(json)
  const { n_embd: dModel, n_layer: layers, n_head: heads } = config
  const headDim = headWidth(dModel, heads)
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(headDim) : 1
  return {
    ...{ family: 'gpt2', layers, dModel, heads, kvHeads: heads, headDim, vocabulary: config.vocab_size },
    contextSize: config.n_positions,
    bosId: tokenId(config.bos_token_id),
    dMlp: config.n_inner ?? 4 * dModel,
    normEps: config.layer_norm_epsilon,
    isTied: config.tie_word_embeddings,
    gelu: geluNamed(config.activation_function),
    queryScale: (layer) => (config.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale),
    window: () => null,
    isParallel: false,
  }
}

/** Every tensor with its stored shape; this family alone stores linear maps [in, out]. Mask buffers are left where they are. */
function shapesOf({ dModel, dMlp, layers, vocabulary, contextSize, isTied }: GptConfig): TensorShapes {
  const shapes: TensorShapes = new Map([
    ['wte.weight', [vocabulary, dModel]],
    ['wpe.weight', [contextSize, dModel]],
  ])
  const norm = (name: string) => shapes.set(`${name}.weight`, [dModel]).set(`${name}.bias`, [dModel])
  const map = (name: string, from: number, out: number) =>
    shapes.set(`${name}.weight`, [from, out]).set(`${name}.bias`, [out])
  for (let layer = 0; layer < layers; layer++) {
    const block = `h.${layer}`
    norm(`${block}.ln_1`)
    map(`${block}.attn.c_attn`, dModel, 3 * dModel)
    map(`${block}.attn.c_proj`, dModel, dModel)
    norm(`${block}.ln_2`)
    map(`${block}.mlp.c_fc`, dModel, dMlp)
    map(`${block}.mlp.c_proj`, dMlp, dModel)
  }
  norm('ln_f')
  if (!isTied) shapes.set('lm_head.weight', [vocabulary, dModel])
  return shapes
}

/** One map whose outputs are all queries, then all keys, then all values. */
class FusedMap implements QueryKeyValue {
  readonly #map: Linear
  readonly #config: GptConfig

  constructor(map: Linear, config: GptConfig) {
    this.#map = map
    this.#config = config
  }

  split(rows: tf.Tensor2D) {
    const { dModel, heads, headDim } = this.#config
    const count = rows.shape[0]
    const fused = this.#map.apply(rows)
    const cut = (part: number): tf.Tensor3D =>
      tf.reshape(tf.slice(fused, [0, part * dModel], [count, dModel]), [count, heads, headDim])
    return { q: cut(0), k: cut(1), v: cut(2) }
  }

  dispose(): void {
    this.#map.dispose()
  }
}

function blockOf(weights: LoadedWeights, layer: number, config: GptConfig): GptBlock {
  const map = (name: string) => new Linear(weights, `h.${layer}.${name}`, 'in-out')
  const norm = (name: string) => new LayerNorm(weights, `h.${layer}.${name}`, config.normEps)
  return {
    attentionNorm: norm('ln_1'),
    qkv: new FusedMap(map('attn.c_attn'), config),
    output: map('attn.c_proj'),
    mlpNorm: norm('ln_2'),
    up: map('mlp.c_fc'),
    down: map('mlp.c_proj'),
  }
}

/** Reads `model_type` gpt2, whole or in shards, with or without `transformer.` before its names. */
export const gpt2: Family = {
  modelType: 'gpt2',
  parse(json) {
    const config = parseConfig(json)
    return gptModel(config, shapesOf(config), (weights) => learnedPositionParts(weights, config, blockOf))
  },
}
