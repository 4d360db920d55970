/** What the demo's model is: its config, and its tokenizer, which is learnt from the corpus once. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../src/main/files/atomic'
import { learnMerges, PieceCounts, tokenizerJson } from './bpe'
import { readLines, SPECIAL, SPECIAL_ID } from './texts'

/** The special token, 256 bytes and what is merged: many languages share few tokens. */
const MERGES = 6144 - 257
/** Text that merges are learnt from; more changes few of them. */
const MOST_CHARACTERS = 40_000_000

export const MODEL = { layers: 6, width: 192, mlp: 512, heads: 4, context: 256 }

/** config.json of the model. */
export const configOf = (vocabulary: number) => ({
  ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', torch_dtype: 'float16' },
  ...{ vocab_size: vocabulary, hidden_size: MODEL.width, intermediate_size: MODEL.mlp },
  ...{ num_hidden_layers: MODEL.layers, num_attention_heads: MODEL.heads, num_key_value_heads: MODEL.heads },
  ...{ max_position_embeddings: MODEL.context, rms_norm_eps: 1e-5, rope_theta: 10_000, hidden_act: 'silu' },
  ...{ tie_word_embeddings: true, attention_bias: false, mlp_bias: false },
  ...{ bos_token_id: SPECIAL_ID, eos_token_id: SPECIAL_ID },
})

/** Writes tokenizer.json and config.json into the folder unless they are there. @returns config.json */
export async function prepareTokenizer(folder: string, corpus: string): Promise<ReturnType<typeof configOf>> {
  const write = (name: string, value: object) =>
    writeFileAtomic(join(folder, name), new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`))
  const json = configOf(MERGES + 257)
  if (existsSync(join(folder, 'tokenizer.json'))) return json
  const counts = new PieceCounts()
  let left = MOST_CHARACTERS
  for await (const { text } of readLines(corpus)) {
    counts.add(text)
    left -= text.length
    if (left < 0) break
  }
  const merges = learnMerges(counts.words(3), MERGES)
  if (merges.length < MERGES) throw new Error(`the corpus gives ${merges.length} merges, not ${MERGES}`)
  await write('tokenizer.json', tokenizerJson(merges, SPECIAL))
  await write('config.json', json)
  return json
}
