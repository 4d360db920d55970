/** The registry of model families: which file of this room reads which `model_type`. */
import type { Family } from './family'
import { llama } from './llama'

export const FAMILIES: readonly Family[] = [llama]
