/** The tokenizer of a model folder: text to ids, ids to text, and the bytes of every token. */
import { join } from 'node:path'
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import type { TokenPieces } from '../../../shared/token-spans'
import { makePieces } from './token-pieces'
import type { PieceStyle, VocabularyEntry } from './token-pieces'
import { isFile, readJson } from './weights'

export type Tokenizer = {
  /**
   * Ids of a text, without BOS. SentencePiece tokenizers read a text as if a space stood before it, so the first piece
   * shows one that the text does not have.
   */
  encode(text: string): number[]
  /** The text of ids without BOS and other special tokens. */
  decode(ids: readonly number[]): string
  /** Starts every document; null when the model was not trained with such a token. The rule is {@link findBos}. */
  bosId: number | null
  /**
   * BOS, end and padding tokens: they are read by the model and are no text, wherever they stand (docs/metrics.md). Named by
   * tokenizer_config.json; ids of config.json and generation_config.json count where the tokenizer calls them special.
   */
  specialIds: ReadonlySet<number>
  /** End what is generated: the tokenizer's EOS, and what config.json and generation_config.json name. */
  stopIds: readonly number[]
  /** The largest id plus one; a model's vocabulary may be padded beyond it. */
  vocabulary: number
  pieces: TokenPieces
}

/** Four times the largest vocabulary that is published; pieces are allocated up to the largest id. */
const MAX_VOCABULARY = 4_000_000
const TokenId = z.int().min(0).max(MAX_VOCABULARY - 1) // prettier-ignore

/** The parts of tokenizer.json that decide how tokens are written; the rest is left to the library. */
type Step = { type?: string | undefined; [part: string]: unknown }
const Step: z.ZodType<Step> = z.looseObject({ type: z.string().optional() })
const TokenizerJson = z.looseObject({
  model: z.looseObject({
    type: z.enum(['BPE', 'WordPiece', 'Unigram']).optional(),
    vocab: z.union([z.record(z.string(), TokenId), z.array(z.unknown()).max(MAX_VOCABULARY)]),
    byte_fallback: z.boolean().nullish(),
  }),
  added_tokens: z.array(z.looseObject({ id: TokenId, content: z.string(), special: z.boolean() })).nullish(),
  decoder: Step.nullish(),
  pre_tokenizer: Step.nullish(),
})
type TokenizerJson = z.infer<typeof TokenizerJson>

const SpecialName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const TokenizerConfig = z.looseObject({
  bos_token: SpecialName,
  eos_token: SpecialName,
  pad_token: SpecialName,
  add_bos_token: z.boolean().nullish(),
})
type TokenizerConfig = z.infer<typeof TokenizerConfig>

/** What config.json and generation_config.json say of tokens; both may be absent. */
const ModelTokens = z.looseObject({
  bos_token_id: z.unknown().optional(),
  eos_token_id: z.unknown().optional(),
  pad_token_id: z.unknown().optional(),
})

const isId = (id: unknown): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0

/** One id, several, or none. */
const idsOf = (given: unknown): number[] => (Array.isArray(given) ? given.filter(isId) : isId(given) ? [given] : [])

/** A file of the folder, or an empty object where it is absent. */
async function readIfThere<T>(path: string, schema: z.ZodType<T>): Promise<T | Record<string, undefined>> {
  return (await isFile(path)) ? await readJson(path, schema) : {}
}

const nameOf = (name: z.infer<typeof SpecialName>) => (typeof name === 'object' ? name?.content : name)

/** Types of a step and of all steps nested in it. */
function stepTypes(step: unknown): string[] {
  if (Array.isArray(step)) return step.flatMap(stepTypes)
  const parsed = Step.safeParse(step)
  if (!parsed.success) return []
  const { type, decoders, pretokenizers } = parsed.data
  return [...(type ? [type] : []), ...stepTypes(decoders ?? []), ...stepTypes(pretokenizers ?? [])]
}

function pieceStyle({ decoder, pre_tokenizer, model }: TokenizerJson): PieceStyle {
  const types = [...stepTypes(decoder), ...stepTypes(pre_tokenizer)]
  if (types.includes('ByteLevel')) return 'byte-level'
  return types.includes('Metaspace') || types.includes('ByteFallback') || model.byte_fallback ? 'metaspace' : 'plain'
}

type Sources = {
  library: HfTokenizer
  config: Partial<TokenizerConfig>
  /** `bos_token_id` of config.json. */
  modelBos: unknown
}

/**
 * The token that stood before every document when the model was trained:
 * 1. what the tokenizer itself puts before a text (Llama, Mistral, Gemma);
 * 2. else its `bos_token` where `add_bos_token: true` says that it is added, or where it is the EOS token: it separated the documents in
 *    training then (GPT-2, GPT-Neo, Pythia); TransformerLens puts it first for that reason. A name alone adds nothing (SmolLM2);
 * 3. else, where `bos_token` is not mentioned at all (GPT-2's own files), `bos_token_id` of config.json. A `bos_token: null` means that
 *    there is none, whatever config.json says (Qwen).
 */
function findBos({ library, config, modelBos }: Sources): number | null {
  const withSpecials = library.encode('a').ids
  const bare = library.encode('a', { add_special_tokens: false }).ids
  const [first] = withSpecials
  if (isId(first) && withSpecials.length > bare.length && first !== bare[0]) return first
  if (config.bos_token === undefined) return isId(modelBos) ? modelBos : null
  const [bos, eos] = [nameOf(config.bos_token), nameOf(config.eos_token)]
  if (!bos || (config.add_bos_token !== true && bos !== eos)) return null
  return library.token_to_id(bos) ?? null
}

function listVocabulary(library: HfTokenizer, json: TokenizerJson): VocabularyEntry[] {
  const added = new Map((json.added_tokens ?? []).map((token) => [token.id, token]))
  // Where ids have a gap the library lists a token that is no text; only real ones get a piece.
  const real = Array.from(library.get_vocab(true)).filter(([token]) => typeof token === 'string')
  const entries = real.map(([token, id]) => {
    const known = added.get(id)
    return { id, token: known?.content ?? token, special: known?.special ?? false, added: known !== undefined }
  })
  const listed = new Set(entries.map(({ id }) => id))
  for (const { id, content, special } of added.values()) {
    if (!listed.has(id)) entries.push({ id, token: content, special, added: true })
  }
  return entries
}

type Opened = {
  library: HfTokenizer
  bosId: number | null
  eosId: number | null
  /** Of the BOS, end and padding tokens that tokenizer_config.json names. */
  named: number[]
  entries: VocabularyEntry[]
}

/** Runs a part of the library, which trusts its files, and turns what it throws into words. */
function within<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const reason = `it cannot be used (${error instanceof Error ? error.message : String(error)})`
    throw new AppError('file-corrupt', { path, format: 'tokenizer', reason }, { cause: error })
  }
}

function openLibrary(json: TokenizerJson, config: Partial<TokenizerConfig>, modelBos: unknown): Opened {
  // Its clean-up takes spaces before punctuation out of decoded text, which then is not what the tokens say.
  const library = new HfTokenizer(json, { ...config, clean_up_tokenization_spaces: false })
  const eos = nameOf(config.eos_token)
  const names = [config.bos_token, config.eos_token, config.pad_token].map(nameOf)
  return {
    named: names.flatMap((name) => idsOf(name ? library.token_to_id(name) : null)),
    library,
    bosId: findBos({ library, config, modelBos }),
    eosId: eos ? (library.token_to_id(eos) ?? null) : null,
    entries: listVocabulary(library, json),
  }
}

/**
 * @param folder of a model, with tokenizer.json and, where published, tokenizer_config.json, config.json, generation_config.json
 * @param modelVocabulary how many ids the model knows; a tokenizer whose base vocabulary has larger ids is refused, and so is, by `encode`
 *   with token-without-row, a text with an added token beyond them
 * @throws AppError tokenizer-missing, file-unreadable, file-corrupt, tokenizer-mismatch
 */
export async function loadTokenizer(folder: string, modelVocabulary?: number): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json')
  if (!(await isFile(path))) throw new AppError('tokenizer-missing', { path: folder })
  const json = await readJson(path, TokenizerJson)
  const config = await readIfThere(join(folder, 'tokenizer_config.json'), TokenizerConfig)
  const model = await readIfThere(join(folder, 'config.json'), ModelTokens)
  const generation = await readIfThere(join(folder, 'generation_config.json'), ModelTokens)
  const { library, bosId, eosId, named, entries } = within(path, () => openLibrary(json, config, model.bos_token_id))
  const largestOf = (some: readonly VocabularyEntry[]) => some.reduce((id, entry) => Math.max(id, entry.id), -1)
  const largest = largestOf(entries)
  // Published models may have added tokens without a row in the embedding (Gemma 3); only a text that holds one cannot be read.
  const largestBase = largestOf(entries.filter(({ added }) => !added))
  if (modelVocabulary !== undefined && largestBase >= modelVocabulary) {
    throw new AppError('tokenizer-mismatch', { largest: largestBase, vocabulary: modelVocabulary })
  }
  const known = (ids: number[]): number[] => {
    const beyond = ids.find((id) => id >= (modelVocabulary ?? Infinity))
    if (beyond === undefined) return ids
    const token = entries.find(({ id }) => id === beyond)?.token ?? ''
    throw new AppError('token-without-row', { token, id: beyond, vocabulary: modelVocabulary ?? 0 })
  }
  const isKnown = (id: number) => id < (modelVocabulary ?? largest + 1)
  const special = new Set(entries.filter((entry) => entry.special).map(({ id }) => id))
  const { bos_token_id: modelBos, eos_token_id: modelEnd, pad_token_id: modelPad } = model
  const ofModel = [modelBos, modelEnd, modelPad, generation.eos_token_id].flatMap(idsOf).filter((id) => special.has(id))
  const ends = [...idsOf(eosId), ...idsOf(model.eos_token_id), ...idsOf(generation.eos_token_id)]
  return {
    // The library gives no id to what neither the vocabulary nor an unknown-token has: such characters are left out.
    encode: (text) =>
      text === ''
        ? []
        : known(within(path, () => library.encode(text, { add_special_tokens: false }).ids.filter(isId))),
    decode: (ids) =>
      ids.length === 0 ? '' : within(path, () => library.decode([...ids], { skip_special_tokens: true })),
    bosId: bosId !== null && isKnown(bosId) ? bosId : null,
    specialIds: new Set([...idsOf(bosId), ...named, ...ofModel].filter(isKnown)),
    stopIds: [...new Set(ends)].filter(isKnown),
    vocabulary: largest + 1,
    pieces: makePieces(entries, pieceStyle(json)),
  }
}
