/** Mistral 7B and its successors: Llama with a sliding window in every layer (Jiang et al. 2023), where the config has one. */
import { llamaRelative } from './llama'
import { slidingWindow } from './llama-config'

/** Reads `model_type` mistral. A config that says nothing of the window means 4096; `null` means none. */
export const mistral = llamaRelative({
  modelType: 'mistral',
  defaults: { max_position_embeddings: 131072, sliding_window: 4096 },
  vary: (json) => ({ inputBias: false, outputBias: false, window: slidingWindow(json, () => true) }),
})
