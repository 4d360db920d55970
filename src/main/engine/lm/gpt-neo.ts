/** The gpt_neo family (TinyStories): global and windowed layers in turn, attention without 1 / sqrt(headDim) (Black et al. 2021). */
import { z } from 'zod'
import { tf } from '../tf'
import { geluNamed } from './activations'
import type { Family, LoadedWeights, TensorShapes } from './family'
import { gptModel, headWidth, learnedPositionParts, tokenId } from './gpt-net'
import type { GptBlock, GptConfig, QueryKeyValue } from './gpt-net'
import { Linear } from './linear'
import { LayerNorm } from './norms'

const width = z.int().min(1).max(1_000_000)
const layerCount = z.int().min(1).max(1000)

const GptNeoJson = z.looseObject({
  hidden_size: width,
  num_layers: layerCount,
  num_heads: z.int().min(1).max(4096),
  max_position_embeddings: z.int().min(1).max(100_000_000).default(2048),
  intermediate_size: width.nullish(),
  vocab_size: z.int().min(1).max(4_000_000),
  window_size: z.int().min(1).default(256),
  /** Kind of each layer; older configs only have the next, runs of kinds and how often each is repeated. */
  attention_layers: z.array(z.string()).nullish(),
  attention_types: z
    .array(z.tuple([z.array(z.string()).max(1000), layerCount]))
    .max(1000)
    .default([[['global', 'local'], 12]]),
  layer_norm_epsilon: z.number().positive().max(1).default(1e-5),
  activation_function: z.string().default('gelu_new'),
  tie_word_embeddings: z.boolean().default(true),
  bos_token_id: z.unknown().optional(),
})

/** Window of each layer. @throws Error when the kinds do not fit the layers, or one is neither global nor local */
function windowsOf(json: z.infer<typeof GptNeoJson>): (number | null)[] {
  const kinds =
    json.attention_layers ?? json.attention_types.flatMap(([run, times]) => Array<string[]>(times).fill(run).flat())
  if (kinds.length !== json.num_layers) {
    throw new Error(`attention is described for ${kinds.length} layers of ${json.num_layers}`)
  }
  const other = kinds.find((kind) => kind !== 'global' && kind !== 'local')
  if (other !== undefined) throw new Error(`attention of kind ${other} is not supported`)
  return kinds.map((kind) => (kind === 'local' ? json.window_size : null))
}

/** @throws z.ZodError, or Error with a reason for what is not supported */
function parseConfig(json: unknown): GptConfig {
  const config = GptNeoJson.parse(json)
  const { hidden_size: dModel, num_layers: layers, num_heads: heads } = config
  const windows = windowsOf(config)
  return {
    ...{ family: 'gpt_neo', layers, dModel, heads, kvHeads: heads, headDim: headWidth(dModel, heads) },
    vocabulary: config.vocab_size,
    contextSize: config.max_position_embeddings,
    bosId: tokenId(config.bos_token_id),
    dMlp: config.intermediate_size ?? 4 * dModel,
    normEps: config.layer_norm_epsilon,
    isTied: config.tie_word_embeddings,
    gelu: geluNamed(config.activation_function),
    queryScale: () => 1,
    window: (layer) => windows[layer] ?? null,
    isParallel: false,
  }
}

const PROJECTIONS = ['q_proj', 'k_proj', 'v_proj'] as const

/** Every tensor with its stored shape. Queries, keys and values have no bias; mask buffers are left where they are. */
function shapesOf({ dModel, dMlp, layers, vocabulary, contextSize, isTied }: GptConfig): TensorShapes {
  const shapes: TensorShapes = new Map([
    ['wte.weight', [vocabulary, dModel]],
    ['wpe.weight', [contextSize, dModel]],
  ])
  const norm = (name: string) => shapes.set(`${name}.weight`, [dModel]).set(`${name}.bias`, [dModel])
  const map = (name: string, from: number, out: number) =>
    shapes.set(`${name}.weight`, [out, from]).set(`${name}.bias`, [out])
  for (let layer = 0; layer < layers; layer++) {
    const block = `h.${layer}`
    norm(`${block}.ln_1`)
    for (const name of PROJECTIONS) shapes.set(`${block}.attn.attention.${name}.weight`, [dModel, dModel])
    map(`${block}.attn.attention.out_proj`, dModel, dModel)
    norm(`${block}.ln_2`)
    map(`${block}.mlp.c_fc`, dModel, dMlp)
    map(`${block}.mlp.c_proj`, dMlp, dModel)
  }
  norm('ln_f')
  if (!isTied) shapes.set('lm_head.weight', [vocabulary, dModel])
  return shapes
}

/** A map each for queries, keys and values. */
class SeparateMaps implements QueryKeyValue {
  readonly #maps: { q: Linear; k: Linear; v: Linear }
  readonly #config: GptConfig

  constructor(maps: { q: Linear; k: Linear; v: Linear }, config: GptConfig) {
    this.#maps = maps
    this.#config = config
  }

  split(rows: tf.Tensor2D) {
    const { heads, headDim } = this.#config
    const apply = (map: Linear): tf.Tensor3D => tf.reshape(map.apply(rows), [rows.shape[0], heads, headDim])
    return { q: apply(this.#maps.q), k: apply(this.#maps.k), v: apply(this.#maps.v) }
  }

  dispose(): void {
    for (const map of Object.values(this.#maps)) map.dispose()
  }
}

function blockOf(weights: LoadedWeights, layer: number, config: GptConfig): GptBlock {
  const map = (name: string) => new Linear(weights, `h.${layer}.${name}`)
  const norm = (name: string) => new LayerNorm(weights, `h.${layer}.${name}`, config.normEps)
  const [q, k, v] = [map('attn.attention.q_proj'), map('attn.attention.k_proj'), map('attn.attention.v_proj')]
  return {
    attentionNorm: norm('ln_1'),
    qkv: new SeparateMaps({ q, k, v }, config),
    output: map('attn.attention.out_proj'),
    mlpNorm: norm('ln_2'),
    up: map('mlp.c_fc'),
    down: map('mlp.c_proj'),
  }
}

/** Reads `model_type` gpt_neo, with or without `transformer.` before its names. */
export const gptNeo: Family = {
  modelType: 'gpt_neo',
  parse(json) {
    const config = parseConfig(json)
    return gptModel(config, shapesOf(config), (weights) => learnedPositionParts(weights, config, blockOf))
  },
}
