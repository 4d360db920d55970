/** Gemma 3, text: five local layers to each global one, each kind with its own rotary base, norms on queries and keys (Gemma Team 2025). */
import { z } from 'zod'
import type { Family } from './family'
import { llamaRelative } from './llama'
import { localLayers, slidingWindow } from './llama-config'
import type { LlamaJson, LlamaVariant } from './llama-config'
import { RopeJson, ropeScaling } from './rope-config'

const cap = z.number().positive().nullish()
const Gemma3Json = z.looseObject({
  query_pre_attn_scalar: z.number().positive().default(256),
  attn_logit_softcapping: cap,
  final_logit_softcapping: cap,
  /** Every so many layers one is global. The underscore is how newer configs keep the older key. */
  sliding_window_pattern: z.int().min(1).nullish(),
  _sliding_window_pattern: z.int().min(1).nullish(),
  rope_local_base_freq: z.number().positive().default(10000),
  use_bidirectional_attention: z.boolean().nullish(),
  /** What `rope_parameters` of newer configs say of local layers, moved here by {@link flattenRope}. */
  local_rope_parameters: RopeJson.optional(),
})

const PerLayerType = z.looseObject({ full_attention: RopeJson.optional(), sliding_attention: RopeJson.optional() })
const AnyRope = z.looseObject({ rope_parameters: PerLayerType.nullish() })

const GLOBAL_THETA = 1e6

/** Newer configs have rotary positions by kind of layer; those of global layers then stand where other families have theirs. */
function flattenRope(config: unknown): Record<string, unknown> {
  const { rope_parameters: ropes, ...rest } = AnyRope.parse(config)
  if (!ropes?.full_attention && !ropes?.sliding_attention) return { ...rest, ...(ropes && { rope_parameters: ropes }) }
  return { ...rest, rope_parameters: ropes.full_attention, local_rope_parameters: ropes.sliding_attention }
}

function vary(json: LlamaJson): Partial<LlamaVariant> {
  const own = Gemma3Json.parse(json)
  if (own.use_bidirectional_attention) throw new Error('attention to later tokens is not supported')
  const period = own.sliding_window_pattern ?? own._sliding_window_pattern ?? 6
  const byPeriod = (layer: number) => (layer + 1) % period !== 0
  const local = own.local_rope_parameters
  const scaling = ropeScaling(local, { contextSize: json.max_position_embeddings, originalContext: null })
  if (scaling.type === 'longrope') throw new Error('rope_scaling of type longrope is not supported in local layers')
  return {
    onePlusNorms: true,
    outputNorms: true,
    headNorms: true,
    // Exact, as Hugging Face computes it in float32. A model that is run in bfloat16 has this factor rounded to bfloat16, too.
    embedScale: Math.sqrt(json.hidden_size),
    queryScale: 1 / Math.sqrt(own.query_pre_attn_scalar),
    attentionCap: own.attn_logit_softcapping ?? null,
    logitCap: own.final_logit_softcapping ?? null,
    window: slidingWindow(json, byPeriod),
    localRope: {
      theta: local?.rope_theta ?? own.rope_local_base_freq,
      scaling,
      isLocal: localLayers(json, byPeriod),
    },
  }
}

const text = llamaRelative({
  modelType: 'gemma3_text',
  defaults: {
    ...{ vocab_size: 262_208, hidden_size: 2304, intermediate_size: 9216, num_hidden_layers: 26 },
    ...{ num_attention_heads: 8, num_key_value_heads: 4, head_dim: 256, bos_token_id: 2 },
    max_position_embeddings: 131_072,
    hidden_activation: 'gelu_pytorch_tanh',
    sliding_window: 4096,
    rope_theta: GLOBAL_THETA,
    tie_word_embeddings: true,
  },
  vary,
})

/** Reads `model_type` gemma3_text: the models that read text only, and the text part of the others once saved by itself. */
export const gemma3Text: Family = { modelType: text.modelType, parse: (config) => text.parse(flattenRope(config)) }

const WithImages = z.looseObject({ text_config: z.looseObject({}) })

/** Reads the text part of `model_type` gemma3, whose models also read images; their tensors for images are left where they are. */
export const gemma3: Family = {
  modelType: 'gemma3',
  parse: (config) => gemma3Text.parse(WithImages.parse(config).text_config),
}
