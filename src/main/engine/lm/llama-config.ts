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
}

const PLAIN: LlamaVariant = {
  inputBias: false,
  outputBias: false,
  headNorms: false,
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

function refuseUnsupported(json: LlamaJson): void {
  if (json.hidden_act !== 'silu' && json.hidden_act !== 'swish') {
    throw new Error(`the activation ${json.hidden_act} is not supported`)
  }
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
    mlpBias: json.mlp_bias,
    tied: json.tie_word_embeddings ?? null,
    bosId: Number.isInteger(json.bos_token_id) ? Number(json.bos_token_id) : null,
    variant: { ...PLAIN, inputBias: bias, outputBias: bias, ...vary(json) },
  }
}
