/** Qwen 2, with biases on queries, keys and values, and Qwen 3, with norms on each head of queries and keys. */
import { llamaRelative } from './llama'
import type { LlamaJson } from './llama-config'

/** Published configs name a window that is not in use; one in use would change every number, so it is refused. */
function refuseWindow(json: LlamaJson): void {
  if (json.use_sliding_window === true) throw new Error('a sliding window is not supported')
}

/** Reads `model_type` qwen2: Qwen 1.5, 2 and 2.5. */
export const qwen2 = llamaRelative({
  modelType: 'qwen2',
  defaults: { max_position_embeddings: 32768 },
  vary: (json) => {
    refuseWindow(json)
    return { inputBias: true, outputBias: false }
  },
})

/** Reads `model_type` qwen3: the dense models of Qwen 3. */
export const qwen3 = llamaRelative({
  modelType: 'qwen3',
  defaults: { max_position_embeddings: 32768, head_dim: 128 },
  vary: (json) => {
    refuseWindow(json)
    return { headNorms: true }
  },
})
