/** Gemma 2: four norms a block, soft caps, a window in every other layer, a scaled embedding (Gemma Team 2024). */
import { z } from 'zod'
import { llamaRelative } from './llama'
import { slidingWindow } from './llama-config'

const cap = z.number().positive().nullable()
const Gemma2Json = z.looseObject({
  hidden_size: z.number(),
  query_pre_attn_scalar: z.number().positive().default(256),
  attn_logit_softcapping: cap.default(50),
  final_logit_softcapping: cap.default(30),
})

/** Reads `model_type` gemma2. */
export const gemma2 = llamaRelative({
  modelType: 'gemma2',
  defaults: {
    max_position_embeddings: 8192,
    head_dim: 256,
    hidden_activation: 'gelu_pytorch_tanh',
    sliding_window: 4096,
    tie_word_embeddings: true,
  },
  vary: (json) => {
    const own = Gemma2Json.parse(json)
    return {
      onePlusNorms: true,
      outputNorms: true,
      embedScale: Math.sqrt(own.hidden_size),
      queryScale: 1 / Math.sqrt(own.query_pre_attn_scalar),
      attentionCap: own.attn_logit_softcapping,
      logitCap: own.final_logit_softcapping,
      window: slidingWindow(json, (layer) => layer % 2 === 0),
    }
  },
})
