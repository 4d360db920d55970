/** Qwen 2, with biases on queries, keys and values, and Qwen 3, with norms on each head of queries and keys. */
import { llamaRelative } from './llama'
import { slidingWindow } from './llama-config'
import type { LlamaJson, LlamaVariant } from './llama-config'

/** Published configs name a window that is not in use; where it is, only layers from `max_window_layers` on have it. */
function qwenWindow(json: LlamaJson): LlamaVariant['window'] {
  const from = typeof json.max_window_layers === 'number' ? json.max_window_layers : 28
  return json.use_sliding_window === true ? slidingWindow(json, (layer) => layer >= from) : () => null
}

/** Reads `model_type` qwen2: Qwen 1.5, 2 and 2.5. */
export const qwen2 = llamaRelative({
  modelType: 'qwen2',
  defaults: { max_position_embeddings: 32768 },
  vary: (json) => ({ inputBias: true, outputBias: false, window: qwenWindow(json) }),
})

/** Reads `model_type` qwen3: the dense models of Qwen 3. */
export const qwen3 = llamaRelative({
  modelType: 'qwen3',
  defaults: { max_position_embeddings: 32768, head_dim: 128 },
  vary: (json) => ({ headNorms: true, window: qwenWindow(json) }),
})
