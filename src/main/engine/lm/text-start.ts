/** Which tokens may stand before a text, by what the files of a model say. */
import { z } from 'zod'
import type { TokenizerLibrary } from './tokenizer-library'

/** A special token in tokenizer_config.json: its text, or that with its flags. */
export const SpecialName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
export const TokenizerConfig = z.looseObject({
  bos_token: SpecialName,
  eos_token: SpecialName,
  pad_token: SpecialName,
  add_bos_token: z.boolean().nullish(),
})
export type TokenizerConfig = z.infer<typeof TokenizerConfig>

export const nameOf = (name: z.infer<typeof SpecialName>) => (typeof name === 'object' ? name?.content : name)

export const isId = (id: unknown): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0

/** What tokenizer.json, tokenizer_config.json and config.json say of the token before a text. */
type StartSources = {
  library: TokenizerLibrary
  idOf: (token: string | null | undefined) => number | null
  config: Partial<TokenizerConfig>
  /** `bos_token_id` of config.json. */
  modelBos: unknown
}

/** Ids for what {@link TextStart} calls `own` and `bos`. */
export type StartIds = { own: number | null; bos: number | null }

/**
 * `own` is what the tokenizer itself puts before a text (Llama, Mistral, Gemma), or its `bos_token` where `add_bos_token: true` says that it is
 * added. A token that is only named is not added, be it the one that ends texts (GPT-2, Pythia) or another (SmolLM2): those are `bos`. So is,
 * where `bos_token` is not mentioned at all (GPT-2's own files), `bos_token_id` of config.json; `bos_token: null` means that there is none,
 * whatever config.json says (Qwen).
 */
export async function findStarts({ library, idOf, config, modelBos }: StartSources): Promise<StartIds> {
  const { ids: withSpecials } = await library.encode('a', true)
  const { ids: bare } = await library.encode('a', false)
  const [first] = withSpecials
  if (isId(first) && withSpecials.length > bare.length && first !== bare[0]) return { own: first, bos: first }
  const named = config.bos_token === undefined ? (isId(modelBos) ? modelBos : null) : idOf(nameOf(config.bos_token))
  return { own: config.add_bos_token === true ? named : null, bos: named }
}
