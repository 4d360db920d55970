/** config.json of the llama family and its relatives: what is understood, its defaults, and what is refused. */
import { z } from 'zod'
import { HeadsError } from './family'
import { RopeJson, ropeScaling, rotatingWidth } from './rope-config'
import type { RopeScaling } from './rotary'

const width = z.int().min(1).max(1_000_000)
const length = z.int().min(1).max(100_000_000)

const LlamaJson = z.looseObject({
  hidden_size: width,
  intermediate_size: width,
  num_hidden_layers: z.int().min(1).max(1000),
  num_attention_heads: z.int().min(1).max(4096),
  num_key_value_heads: z.int().min(1).max(4096).nullish(),
  head_dim: z.int().min(2).max(4096).nullish(),
  vocab_size: z.int().min(1).max(4_000_000),
  max_position_embeddings: length.default(2048),
  rms_norm_eps: z.number().positive().max(1).default(1e-6),
  hidden_act: z.string().default('silu'),
  /** Gemma's name for the same, which goes first. */
  hidden_activation: z.string().nullish(),
  sliding_window: z.int().min(1).nullish(),
  /** Newer way to say which layers have the window: sliding_attention or full_attention for each. */
  layer_types: z.array(z.string()).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: RopeJson.nullish(),
  /** Newer name for rope_theta and rope_scaling together. */
  rope_parameters: RopeJson.nullish(),
  partial_rotary_factor: z.number().nullish(),
  /** Phi-3 writes here what others write within rope_scaling. */
  original_max_position_embeddings: length.nullish(),
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
  /** How local layers rotate, where they do so otherwise than the rest. */
  localRope: (Rope & { isLocal(layer: number): boolean }) | null
  /** Whether the config may leave part of each head unrotated. */
  partialRotary: boolean
  /** Whether queries, keys and values are one stored map, and gate and up another. */
  fusedMaps: boolean
}

/** Base of the angles, and what is done to them. */
export type Rope = { theta: number; scaling: RopeScaling }

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
  localRope: null,
  partialRotary: false,
  fusedMaps: false,
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
  rope: Rope
  /** How many features of a head, from the first on, are rotated. */
  rotating: number
  activation: 'silu' | 'gelu-tanh'
  mlpBias: boolean
  /** Whether the head is the transposed embedding; null when the config does not say and the files decide. */
  tied: boolean | null
  bosId: number | null
  variant: LlamaVariant
}

/**
 * Whether a layer is local: as `layer_types` lists them, else as the family's rule says.
 * @param windowed the rule
 */
export function localLayers(json: LlamaJson, windowed: (layer: number) => boolean): (layer: number) => boolean {
  const { layer_types: types, num_hidden_layers: layers } = json
  if (types && types.length !== layers) throw new Error(`layer_types names ${types.length} layers of ${layers}`)
  const other = types?.find((type) => type !== 'sliding_attention' && type !== 'full_attention')
  if (other !== undefined) throw new Error(`a layer of type ${other} is not supported`)
  return (layer) => (types ? types[layer] === 'sliding_attention' : windowed(layer))
}

/**
 * Window of each layer: that of the config in local layers, none in others.
 * @param windowed whether a layer has the window when the config lists none
 */
export function slidingWindow(json: LlamaJson, windowed: (layer: number) => boolean): LlamaVariant['window'] {
  const isLocal = localLayers(json, windowed)
  return (layer) => (json.sliding_window && isLocal(layer) ? json.sliding_window : null)
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

/** @throws HeadsError when heads cannot share the width, or each other's keys */
function headsOf(json: LlamaJson): { heads: number; kvHeads: number; headDim: number } {
  const heads = json.num_attention_heads
  const kvHeads = json.num_key_value_heads ?? heads
  if (heads % kvHeads !== 0) throw new HeadsError(`${heads} heads cannot share ${kvHeads} key heads`)
  if (!json.head_dim && json.hidden_size % heads !== 0) {
    throw new HeadsError(`a width of ${json.hidden_size} cannot be shared by ${heads} heads`)
  }
  const headDim = json.head_dim ?? json.hidden_size / heads
  if (headDim % 2 !== 0) throw new HeadsError(`a head of width ${headDim} cannot be rotated`)
  return { heads, kvHeads, headDim }
}

/** @throws Error when less than a whole head is rotated by a family that has no such models */
function rotaryOf(json: LlamaJson, headDim: number, { partialRotary }: LlamaVariant): { rope: Rope; rotating: number } {
  const newer = json.rope_parameters
  const share = newer?.partial_rotary_factor ?? json.partial_rotary_factor ?? 1
  if (share !== 1 && !partialRotary) throw new Error('partial rotary embedding is not supported')
  const scaling = ropeScaling(newer ?? json.rope_scaling, {
    contextSize: json.max_position_embeddings,
    originalContext: json.original_max_position_embeddings ?? null,
  })
  const theta = newer?.rope_theta ?? json.rope_theta ?? 10000
  return { rope: { theta, scaling }, rotating: rotatingWidth(headDim, share, scaling) }
}

/**
 * @param vary what the family does otherwise than Llama, from its config; nothing for Llama itself
 * @throws z.ZodError, HeadsError, or Error with the reason in words
 */
export function parseLlamaConfig(
  config: unknown,
  vary: (json: LlamaJson) => Partial<LlamaVariant> = () => ({}),
): LlamaConfig {
  const json = LlamaJson.parse(config)
  if (json.quantization_config) throw new Error('quantised weights are not supported')
  const bias = json.attention_bias
  const variant = { ...PLAIN, inputBias: bias, outputBias: bias, ...vary(json) }
  const heads = headsOf(json)
  return {
    layers: json.num_hidden_layers,
    dModel: json.hidden_size,
    dMlp: json.intermediate_size,
    ...heads,
    vocabulary: json.vocab_size,
    contextSize: json.max_position_embeddings,
    normEps: json.rms_norm_eps,
    ...rotaryOf(json, heads.headDim, variant),
    activation: activationOf(json),
    mlpBias: json.mlp_bias,
    tied: json.tie_word_embeddings ?? null,
    bosId: Number.isInteger(json.bos_token_id) ? Number(json.bos_token_id) : null,
    variant,
  }
}
