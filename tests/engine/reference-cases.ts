/** Small models of the families without fixtures: config.json as it would be published, and beside it what that means in the reference. */
import { anglesOf, llamaLike } from './reference-model'
import type { Reference, ReferenceSpec, ReferenceWeights } from './reference-model'
import { neoX } from './reference-neox'
import type { NeoXSpec } from './reference-neox'

export type ReferenceCase = {
  name: string
  config: Record<string, unknown>
  /** Before every name in the file but that of the head. */
  prefix: string
  /** Names and shapes of the checkpoint, without prefix. */
  shapes: [string, number[]][]
  reference(weights: ReferenceWeights): Reference
  /** Whether a tensor of that name is a factor near 1. */
  isFactor(name: string): boolean
  /** Tensors beside the model, which a loader leaves where they are. */
  beside?: [string, number[]][]
}

const SMALL: ReferenceSpec = {
  ...{ layers: 4, width: 16, neurons: 24, heads: 4, kvHeads: 2, headDim: 8, vocabulary: 53, eps: 1e-6 },
  ...{ onePlus: false, outputNorms: false, headNorms: false, embedFactor: 1, scoreFactor: 1 / Math.sqrt(8) },
  ...{ scoreCap: null, logitCap: null, gate: 'silu', fused: false, tied: true },
  window: () => null,
  turning: () => ({ angles: anglesOf(10000, 8), magnitude: 1 }),
}
const CONFIG = {
  ...{ num_hidden_layers: 4, hidden_size: 16, intermediate_size: 24, vocab_size: 53, head_dim: 8 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64 },
}

function llamaShapes(spec: ReferenceSpec): [string, number[]][] {
  const { width, neurons, vocabulary, headDim } = spec
  const [queries, keys] = [spec.heads * headDim, spec.kvHeads * headDim]
  const norms = ['input_layernorm', 'post_attention_layernorm']
  if (spec.outputNorms) norms.push('pre_feedforward_layernorm', 'post_feedforward_layernorm')
  const block: [string, number[]][] = norms.map((name) => [`${name}.weight`, [width]])
  if (spec.headNorms) for (const name of ['q_norm', 'k_norm']) block.push([`self_attn.${name}.weight`, [headDim]])
  if (spec.fused) {
    block.push(
      ['self_attn.qkv_proj.weight', [queries + 2 * keys, width]],
      ['mlp.gate_up_proj.weight', [2 * neurons, width]],
    )
  } else {
    block.push(['self_attn.q_proj.weight', [queries, width]])
    for (const name of ['k_proj', 'v_proj']) block.push([`self_attn.${name}.weight`, [keys, width]])
    for (const name of ['gate_proj', 'up_proj']) block.push([`mlp.${name}.weight`, [neurons, width]])
  }
  block.push(['self_attn.o_proj.weight', [width, queries]], ['mlp.down_proj.weight', [width, neurons]])
  const shapes: [string, number[]][] = [
    ['embed_tokens.weight', [vocabulary, width]],
    ['norm.weight', [width]],
  ]
  for (let layer = 0; layer < spec.layers; layer++) {
    shapes.push(...block.map(([name, shape]): [string, number[]] => [`layers.${layer}.${name}`, shape]))
  }
  if (!spec.tied) shapes.push(['lm_head.weight', [vocabulary, width]])
  return shapes
}

type LlamaCase = Pick<ReferenceCase, 'name' | 'config'> & Partial<ReferenceCase> & { spec: ReferenceSpec }

const llamaCase = ({
  spec,
  config,
  prefix = 'model.',
  ...rest
}: LlamaCase): ReferenceCase & { spec: ReferenceSpec } => ({
  ...{ spec, config, prefix, shapes: llamaShapes(spec), ...rest },
  reference: (weights) => llamaLike(spec, weights),
  isFactor: (name) => name.includes('norm') && !spec.onePlus,
})

const GEMMA3: ReferenceSpec = {
  ...SMALL,
  ...{ onePlus: true, outputNorms: true, headNorms: true, gate: 'gelu-tanh' },
  ...{ embedFactor: 4, scoreFactor: 1 / Math.sqrt(20) },
  window: (layer) => (layer === 2 ? null : 5),
  turning: (layer) => ({ angles: layer === 2 ? anglesOf(1e6, 8, () => 8) : anglesOf(10000, 8), magnitude: 1 }),
}
const LOCAL = 'sliding_attention'
const GLOBAL = 'full_attention'

/** As Gemma 3 was published first: a period of three layers, one base each for local and global layers, linear scaling for the global. */
export const gemma3Local = llamaCase({
  name: 'gemma3_local',
  spec: GEMMA3,
  config: {
    ...{
      ...CONFIG,
      model_type: 'gemma3_text',
      sliding_window: 5,
      sliding_window_pattern: 3,
      query_pre_attn_scalar: 20,
    },
    ...{ rope_theta: 1_000_000, rope_scaling: { rope_type: 'linear', factor: 8 } },
  },
})

/** As newer configs write it, with other bases, caps, biases and a head of its own; without prefix. */
export const gemma3Newer = llamaCase({
  name: 'gemma3_newer',
  prefix: '',
  spec: {
    ...{ ...GEMMA3, scoreCap: 2, logitCap: 4, tied: false, eps: 1e-3 },
    window: (layer) => (layer === 1 ? null : 4),
    turning: (layer) => ({ angles: anglesOf(layer === 1 ? 5000 : 300, 8), magnitude: 1 }),
  },
  config: {
    ...{
      ...CONFIG,
      model_type: 'gemma3_text',
      sliding_window: 4,
      _sliding_window_pattern: 6,
      query_pre_attn_scalar: 20,
    },
    ...{ layer_types: [LOCAL, GLOBAL, LOCAL, LOCAL], tie_word_embeddings: false, rms_norm_eps: 1e-3 },
    ...{ attn_logit_softcapping: 2, final_logit_softcapping: 4 },
    rope_parameters: {
      [GLOBAL]: { rope_type: 'default', rope_theta: 5000 },
      [LOCAL]: { rope_type: 'default', rope_theta: 300 },
    },
  },
})

/** A model that also reads images: its text part, with the usual period of six layers. */
export const gemma3Images = llamaCase({
  name: 'gemma3_images',
  prefix: 'language_model.model.',
  spec: {
    ...{ ...GEMMA3, layers: 7, scoreFactor: 1 / 16 },
    window: (layer) => (layer === 5 ? null : 3),
    turning: (layer) => ({ angles: anglesOf(layer === 5 ? 1e6 : 10000, 8), magnitude: 1 }),
  },
  config: {
    model_type: 'gemma3',
    text_config: { ...CONFIG, model_type: 'gemma3_text', num_hidden_layers: 7, sliding_window: 3 },
    vision_config: { model_type: 'siglip_vision_model', hidden_size: 8 },
  },
  beside: [
    ['vision_tower.vision_model.post_layernorm.weight', [8]],
    ['multi_modal_projector.mm_input_projection_weight', [8, 16]],
  ],
})

const PHI3: ReferenceSpec = { ...SMALL, fused: true, tied: false, eps: 1e-5 }
const PHI3_CONFIG = { ...CONFIG, model_type: 'phi3', head_dim: undefined, hidden_size: 32 }

/** As Phi-3-mini: a window, no scaling, heads turned whole, a head of its own. */
export const phi3Window = llamaCase({
  name: 'phi3_window',
  spec: { ...PHI3, width: 32, window: () => 5 },
  config: { ...PHI3_CONFIG, sliding_window: 5 },
})

const SHORT = [1, 1.3, 1.9]
const LONG = [1.1, 4, 9]

/** Of 8 features of a head 6 turn, as in Phi-4-mini, by factors of their own; the length of a text chooses the list. */
export const phi3Spec = (originalContext: number): ReferenceSpec => ({
  ...{ ...PHI3, width: 32, tied: true },
  turning: (_, length) => ({
    angles: anglesOf(10000, 6, (pair) => (length > originalContext ? LONG : SHORT)[pair]!),
    magnitude: Math.sqrt(1 + Math.log(64 / originalContext) / Math.log(originalContext)),
  }),
})
const phi3LongRope = (name: string, originalContext: number, rope: Record<string, unknown>) =>
  llamaCase({
    ...{ name, spec: phi3Spec(originalContext) },
    config: {
      ...{ ...PHI3_CONFIG, tie_word_embeddings: true, partial_rotary_factor: 0.75 },
      ...{ original_max_position_embeddings: originalContext },
      rope_scaling: { short_factor: SHORT, long_factor: LONG, ...rope },
    },
  })

/** Texts shorter than the border of longrope, and texts beyond it from the first word on. */
export const phi3Short = phi3LongRope('phi3_short', 32, { type: 'longrope' })
export const phi3Long = phi3LongRope('phi3_long', 4, { type: 'su' })
/** Texts that reach the border while they are continued. */
export const phi3Border = phi3LongRope('phi3_border', 16, { type: 'longrope' })

function neoXCase(name: string, spec: NeoXSpec, config: Record<string, unknown>): ReferenceCase {
  const { width, neurons, vocabulary } = spec
  const shapes: [string, number[]][] = [['embed_in.weight', [vocabulary, width]]]
  const map = (at: string, out: number, from: number) => void shapes.push([`${at}.weight`, [out, from]])
  const norm = (at: string) => void shapes.push([`${at}.weight`, [width]], [`${at}.bias`, [width]])
  for (let layer = 0; layer < spec.layers; layer++) {
    const block = `layers.${layer}`
    norm(`${block}.input_layernorm`)
    norm(`${block}.post_attention_layernorm`)
    map(`${block}.attention.query_key_value`, 3 * width, width)
    map(`${block}.attention.dense`, width, width)
    map(`${block}.mlp.dense_h_to_4h`, neurons, width)
    map(`${block}.mlp.dense_4h_to_h`, width, neurons)
    shapes.push([`${block}.mlp.dense_h_to_4h.bias`, [neurons]], [`${block}.mlp.dense_4h_to_h.bias`, [width]])
  }
  norm('final_layer_norm')
  if (!spec.tied) shapes.push(['embed_out.weight', [vocabulary, width]])
  const isFactor = (tensor: string) => tensor.includes('norm') && tensor.endsWith('.weight')
  return { name, config, prefix: 'gpt_neox.', shapes, isFactor, reference: (weights) => neoX(spec, weights) }
}

/** What the fixture of gpt_neox leaves open: residuals one after another, a tied head, no biases of attention, scaled positions. */
export const neoXSequential = neoXCase(
  'gpt_neox_sequential',
  {
    ...{ layers: 3, width: 32, neurons: 40, heads: 4, vocabulary: 53, eps: 1e-5, parallel: false, tied: true },
    angles: anglesOf(2000, 4, () => 4),
  },
  {
    ...{ model_type: 'gpt_neox', hidden_size: 32, num_hidden_layers: 3, num_attention_heads: 4, intermediate_size: 40 },
    ...{ vocab_size: 53, max_position_embeddings: 64, use_parallel_residual: false, tie_word_embeddings: true },
    attention_bias: false,
    rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 2000, partial_rotary_factor: 0.5 },
  },
)

export const REFERENCE_CASES: readonly ReferenceCase[] = [
  ...[gemma3Local, gemma3Newer, gemma3Images],
  ...[phi3Window, phi3Short, phi3Long],
  neoXSequential,
]
