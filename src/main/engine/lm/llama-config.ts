/** config.json of the llama family and its relatives: what is understood, its defaults, and what is refused. */
import { z } from 'zod'
import type { RopeScaling } from './rotary'

const width = z.int().min(1).max(1_000_000)

const Rope = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: width.optional(),
})

const LlamaJson = z.looseObject({
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: z.int().min(1).max(1000),
  num_attention_heads: z.int().min(1).max(4096),
  num_key_value_heads: z.int().min(1).max(4096).nullish(),
  head_dim: z.int().min(2).max(4096).nullish(),
  vocab_size: z.int().min(1).max(4_000_000),
  max_position_embeddings: z.int().min(1).max(100_000_000).default(2048),
  rms_norm_eps: z.number().positive().max(1).default(1e-6),
  hidden_act: z.string().default('silu'),
  /** Gemma's name for the same, which goes first. */
  hidden_activation: z.string().nullish(),
  sliding_window: z.int().min(1).nullish(),
  /** Newer way to say which layers have the window: sliding_attention or full_attention for each. */
  layer_types: z.array(z.string()).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: Rope.nullish(),
  /** Newer name for rope_theta and rope_scaling together. */
  rope_parameters: Rope.nullish(),
  partial_rotary_factor: z.number().nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().nullish(),
  bos_token_id: z.unknown().optional(),
  quantization_config: z.unknown().optional(),
})
export type LlamaJson = z.infer<typeof LlamaJson>

/** In what a model may differ from Llama; each family sets its own, and Llama itself is `PLAIN`. */
export type LlamaVariant = {
  /** Biases of the query, key and value maps, and of the output map. */
  inputBias: boolean
  outputBias: boolean
  /** RMSNorm over each head of queries and keys, before they are rotated. */
  headNorms: boolean
  /** Whether norms multiply by 1 + weight instead of weight. */
  onePlusNorms: boolean
  /** Whether what attention and MLP add is normed once more, by norms of their own. */
  outputNorms: boolean
  /** What the embedding is multiplied by. */
  embedScale: number
  /** What queries are multiplied by; null is 1 / sqrt(headDim). */
  queryScale: number | null
  /** Bounds of attention scores and of logits: x becomes cap * tanh(x / cap). */
  attentionCap: number | null
  logitCap: number | null
  /** How many positions, itself included, a token of this layer attends to; null is all. */
  window(layer: number): number | null
}

const PLAIN: LlamaVariant = {
  inputBias: false,
  outputBias: false,
  headNorms: false,
  onePlusNorms: false,
  outputNorms: false,
  embedScale: 1,
  queryScale: null,
  attentionCap: null,
  logitCap: null,
  window: () => null,
}

export type LlamaConfig = {
  layers: number
  dModel: number
  dMlp: number
  heads: number
  kvHeads: number
  headDim: number
  vocabulary: number
  contextSize: number
  normEps: number
  theta: number
  scaling: RopeScaling
  activation: 'silu' | 'gelu-tanh'
  mlpBias: boolean
  /** Whether the head is the transposed embedding; null when the config does not say and the files decide. */
  tied: boolean | null
  bosId: number | null
  variant: LlamaVariant
}

function ropeScaling(json: LlamaJson): RopeScaling {
  const rope = json.rope_parameters ?? json.rope_scaling
  const type = rope?.rope_type ?? rope?.type ?? 'default'
  if (!rope || type === 'default') return { type: 'none' }
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = rope
  if (type === 'linear' && factor) return { type, factor }
  if (type === 'llama3' && factor && low && high && original && high > low) {
    return { type, factor, lowFreqFactor: low, highFreqFactor: high, originalContext: original }
  }
  if (type === 'linear' || type === 'llama3') throw new Error(`rope_scaling of type ${type} lacks its numbers`)
  throw new Error(`rope_scaling of type ${type} is not supported`)
}

/**
 * Window of each layer: as `layer_types` lists them, else where the family's rule says.
 * @param windowed whether a layer has the window when the config lists none
 */
export function slidingWindow(json: LlamaJson, windowed: (layer: number) => boolean): LlamaVariant['window'] {
  const { sliding_window: size, layer_types: types, num_hidden_layers: layers } = json
  if (types && types.length !== layers) throw new Error(`layer_types names ${types.length} layers of ${layers}`)
  const other = types?.find((type) => type !== 'sliding_attention' && type !== 'full_attention')
  if (other !== undefined) throw new Error(`a layer of type ${other} is not supported`)
  const isWindowed = (layer: number) => (types ? types[layer] === 'sliding_attention' : windowed(layer))
  return (layer) => (size && isWindowed(layer) ? size : null)
}

const ACTIVATIONS = new Map<string, LlamaConfig['activation']>([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['gelu_pytorch_tanh', 'gelu-tanh'],
])

function activationOf(json: LlamaJson): LlamaConfig['activation'] {
  const name = json.hidden_activation ?? json.hidden_act
  const activation = ACTIVATIONS.get(name)
  if (!activation) throw new Error(`the activation ${name} is not supported`)
  return activation
}

function refuseUnsupported(json: LlamaJson): void {
  if (json.quantization_config) throw new Error('quantised weights are not supported')
  if ((json.partial_rotary_factor ?? 1) !== 1) throw new Error('partial rotary embedding is not supported')
}

/**
 * @param vary what the family does otherwise than Llama, from its config; nothing for Llama itself
 * @throws z.ZodError, or Error with the reason in words
 */
export function parseLlamaConfig(
  config: unknown,
  vary: (json: LlamaJson) => Partial<LlamaVariant> = () => ({}),
): LlamaConfig {
  const json = LlamaJson.parse(config)
  const activation = activationOf(json)
  refuseUnsupported(json)
  const heads = json.num_attention_heads
  const kvHeads = json.num_key_value_heads ?? heads
  if (heads % kvHeads !== 0) throw new Error(`${heads} heads cannot share ${kvHeads} key heads`)
  const headDim = json.head_dim ?? json.hidden_size / heads
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) throw new Error(`a head of width ${headDim} cannot be rotated`)
  const bias = json.attention_bias
  return {
    layers: json.num_hidden_layers,
    dModel: json.hidden_size,
    dMlp: json.intermediate_size,
    heads,
    kvHeads,
    headDim,
    vocabulary: json.vocab_size,
    contextSize: json.max_position_embeddings,
    normEps: json.rms_norm_eps,
    theta: json.rope_parameters?.rope_theta ?? json.rope_theta ?? 10000,
    scaling: ropeScaling(json),
    activation,
    mlpBias: json.mlp_bias,
    tied: json.tie_word_embeddings ?? null,
    bosId: Number.isInteger(json.bos_token_id) ? Number(json.bos_token_id) : null,
    variant: { ...PLAIN, inputBias: bias, outputBias: bias, ...vary(json) },
  }
}
