/** The registry of model families: which file of this room reads which `model_type`. */
import type { Family } from './family'
import { gemma2 } from './gemma2'
import { gemma3, gemma3Text } from './gemma3'
import { gptNeo } from './gpt-neo'
import { gptNeoX } from './gpt-neox'
import { gpt2 } from './gpt2'
import { llama } from './llama'
import { mistral } from './mistral'
import { phi3 } from './phi3'
import { qwen2, qwen3 } from './qwen'

export const FAMILIES: readonly Family[] = [
  ...[gpt2, gptNeo, gptNeoX],
  ...[llama, mistral, qwen2, qwen3, phi3],
  ...[gemma2, gemma3Text, gemma3],
]
