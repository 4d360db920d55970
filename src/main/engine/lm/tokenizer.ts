/** The tokenizer of a model folder: text to ids, and the bytes of every token. */
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import type { TokenPieces } from '../../../shared/token-spans'
import { makePieces } from './token-pieces'
import type { VocabularyEntry } from './token-pieces'
import { growthOf, listVocabulary, pieceStyle, TokenizerJson, undefinedInTemplate } from './tokenizer-json'
import { openTokenizerLibrary, within } from './tokenizer-library'
import type { Encoded, TokenizerLibrary } from './tokenizer-library'
import { isFile, readJson } from './weights'

export type Tokenizer = {
  /**
   * Ids of a text, without BOS. SentencePiece tokenizers read a text as if a space stood before it, so the first piece
   * shows one that the text does not have.
   * @throws AppError token-without-row, tokenizer-stuck, file-corrupt (the library fails on this text)
   */
  encode(text: string): Promise<number[]>
  /** Ids, and where in the text each token lies: UTF-16 units [2 * ids], start and end; null where the library does not say. Throws as `encode`. */
  locate(text: string): Promise<{ ids: number[]; places: Int32Array | null }>
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
  /** Forms of tokenizer.json that may get other ids here than the model's own tokenizer gives; empty where its own library reads it. */
  unfaithful: readonly string[]
  /** Added tokens for which the model has no row; a text that holds one cannot be read. */
  withoutRow: readonly string[]
}

/** Normalizers of published tokenizers make a text three times as long at most. */
const MAX_GROWTH = 64
/** Reading a text takes longer only where a pattern of the tokenizer finds no end. */
const STUCK_MS = 20_000
const STUCK_MS_PER_CHARACTER = 0.05

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

/** What tokenizer.json, tokenizer_config.json and config.json say of the token before a text. */
type BosSources = {
  library: TokenizerLibrary
  idOf: (token: string | null | undefined) => number | null
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
async function findBos({ library, idOf, config, modelBos }: BosSources): Promise<number | null> {
  const { ids: withSpecials } = await library.encode('a', true)
  const { ids: bare } = await library.encode('a', false)
  const [first] = withSpecials
  if (isId(first) && withSpecials.length > bare.length && first !== bare[0]) return first
  if (config.bos_token === undefined) return isId(modelBos) ? modelBos : null
  const [bos, eos] = [nameOf(config.bos_token), nameOf(config.eos_token)]
  return config.add_bos_token === true || bos === eos ? idOf(bos) : null
}

/** Ends the waiting, not the work: the library's thread goes on until its process ends. */
async function withClock<T>(path: string, characters: number, work: Promise<T>): Promise<T> {
  let clock: NodeJS.Timeout | undefined
  const stuck = new Promise<never>((_, reject) => {
    const limit = STUCK_MS + STUCK_MS_PER_CHARACTER * characters
    clock = setTimeout(() => reject(new AppError('tokenizer-stuck', { path, characters })), limit)
  })
  try {
    return await Promise.race([work, stuck])
  } finally {
    clearTimeout(clock)
  }
}

const largestOf = (some: readonly VocabularyEntry[]) => some.reduce((id, entry) => Math.max(id, entry.id), -1)

/** @throws AppError file-corrupt, tokenizer-mismatch */
function requireSound(path: string, json: TokenizerJson, entries: VocabularyEntry[], modelVocabulary = Infinity): void {
  const missing = undefinedInTemplate(json)
  if (missing !== null) {
    throw new AppError('file-corrupt', {
      path,
      format: 'tokenizer',
      reason: `its template asks for ${missing}, which it does not define`,
    })
  }
  const growth = growthOf(json)
  if (growth > MAX_GROWTH) {
    const reason = `its normalizer may make a text ${Math.round(growth)} times as long, and at most ${MAX_GROWTH} are read`
    throw new AppError('file-corrupt', { path, format: 'tokenizer', reason })
  }
  // Published models may have added tokens without a row in the embedding (Gemma 3); only a text that holds one cannot be read.
  const largest = largestOf(entries.filter(({ added }) => !added))
  if (largest >= modelVocabulary) throw new AppError('tokenizer-mismatch', { largest, vocabulary: modelVocabulary })
}

/** From places in code points to places in UTF-16 units. */
function unitPlaces(text: string, places: readonly number[][]): Int32Array {
  const starts: number[] = []
  let unit = 0
  for (const character of text) {
    starts.push(unit)
    unit += character.length
  }
  starts.push(unit)
  return Int32Array.from(places.flatMap(([start = 0, end = 0]) => [starts[start] ?? unit, starts[end] ?? unit]))
}

/** Ids of texts, of which each has to have a row in the model. */
function encoder(path: string, library: TokenizerLibrary, entries: VocabularyEntry[], modelVocabulary = Infinity) {
  return async (text: string): Promise<Encoded> => {
    if (text === '') return { ids: [], places: null }
    const encoded = await within(path, () => withClock(path, text.length, library.encode(text, false)))
    const beyond = encoded.ids.find((id) => id >= modelVocabulary)
    if (beyond === undefined) return encoded
    const token = entries.find(({ id }) => id === beyond)?.token ?? ''
    throw new AppError('token-without-row', { token, id: beyond, vocabulary: modelVocabulary })
  }
}

/**
 * @param folder of a model, with tokenizer.json and, where published, tokenizer_config.json, config.json, generation_config.json
 * @param modelVocabulary how many ids the model knows; a tokenizer whose base vocabulary has larger ids is refused, and so is, by `encode`
 *   with token-without-row, a text with an added token beyond them
 * @throws AppError tokenizer-missing, tokenizer-unsupported, file-unreadable, file-corrupt, tokenizer-mismatch
 */
export async function loadTokenizer(folder: string, modelVocabulary?: number): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json')
  if (!(await isFile(path))) throw new AppError('tokenizer-missing', { path: folder })
  const json = await readJson(path, TokenizerJson)
  const config = await readIfThere(join(folder, 'tokenizer_config.json'), TokenizerConfig)
  const model = await readIfThere(join(folder, 'config.json'), ModelTokens)
  const generation = await readIfThere(join(folder, 'generation_config.json'), ModelTokens)
  const entries = listVocabulary(json)
  requireSound(path, json, entries, modelVocabulary)
  const library = await openTokenizerLibrary(path, json, config)
  const ids = new Map(entries.map(({ token, id }) => [token, id]))
  const idOf = (token: string | null | undefined) => (token ? (ids.get(token) ?? null) : null)
  const bosId = await within(path, () => findBos({ library, idOf, config, modelBos: model.bos_token_id }))
  const largest = largestOf(entries)
  const isKnown = (id: number) => id < (modelVocabulary ?? largest + 1)
  const special = new Set(entries.filter((entry) => entry.special).map(({ id }) => id))
  const { bos_token_id: modelBos, eos_token_id: modelEnd, pad_token_id: modelPad } = model
  const ofModel = [modelBos, modelEnd, modelPad, generation.eos_token_id].flatMap(idsOf).filter((id) => special.has(id))
  const named = [config.bos_token, config.eos_token, config.pad_token].map((name) => idOf(nameOf(name))).flatMap(idsOf)
  const ends = [idOf(nameOf(config.eos_token)), modelEnd, generation.eos_token_id].flatMap(idsOf)
  const encode = encoder(path, library, entries, modelVocabulary)
  return {
    encode: async (text) => (await encode(text)).ids,
    locate: async (text) => {
      const { ids, places } = await encode(text)
      return { ids, places: places && unitPlaces(text, places()) }
    },
    bosId: bosId !== null && isKnown(bosId) ? bosId : null,
    specialIds: new Set([...idsOf(bosId), ...named, ...ofModel].filter(isKnown)),
    stopIds: [...new Set(ends)].filter(isKnown),
    vocabulary: largest + 1,
    pieces: makePieces(entries, pieceStyle(json)),
    unfaithful: library.unfaithful,
    withoutRow: entries.filter(({ id }) => !isKnown(id)).map(({ token }) => token),
  }
}
