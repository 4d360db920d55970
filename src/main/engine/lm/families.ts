/** The registry of model families: which file of this room reads which `model_type`. */
import type { Family } from './family'
import { llama } from './llama'
import { qwen2, qwen3 } from './qwen'

export const FAMILIES: readonly Family[] = [llama, qwen2, qwen3]
