/** Phi-3, Phi-3.5 and Phi-4: Llama with fused maps, longrope, and in Phi-4-mini partly rotated heads (Abdin et al. 2024). */
import { llamaRelative } from './llama'
import { slidingWindow } from './llama-config'

/** Reads `model_type` phi3. A config that says nothing of the window means none. */
export const phi3 = llamaRelative({
  modelType: 'phi3',
  defaults: {
    max_position_embeddings: 4096,
    original_max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
    bos_token_id: 1,
  },
  vary: (json) => ({
    ...{ inputBias: false, outputBias: false, fusedMaps: true, partialRotary: true },
    window: slidingWindow(json, () => true),
  }),
})
