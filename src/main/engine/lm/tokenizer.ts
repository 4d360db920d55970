/** The tokenizer of a model folder: text to ids, and the bytes of every token. */
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { startOf, type StartTokens, type TextStart } from '../../../shared/text-start'
import type { TokenPieces } from '../../../shared/token-spans'
import { findStarts, isId, nameOf, TokenizerConfig, type StartIds } from './text-start'
import { makePieces } from './token-pieces'
import type { VocabularyEntry } from './token-pieces'
import { growthOf, listVocabulary, pieceStyle, TokenizerJson, undefinedInTemplate } from './tokenizer-json'
import { openTokenizerLibrary, within } from './tokenizer-library'
import type { Encoded, TokenizerLibrary } from './tokenizer-library'
import { isFile, readJson, readJsonIfThere } from './weights'

export type Tokenizer = {
  /**
   * Ids of a text, without BOS. SentencePiece tokenizers read a text as if a space stood before it, so the first piece
   * shows one that the text does not have.
   * @throws AppError token-without-row, tokenizer-stuck, file-corrupt (the library fails on this text)
   */
  encode(text: string): Promise<number[]>
  /** Ids, and where in the text each token lies: UTF-16 units [2 * ids], start and end; null where the library does not say. Throws as `encode`. */
  locate(text: string): Promise<{ ids: number[]; places: Int32Array | null }>
  /** Stands before every text; null for nothing. One of `starts`. */
  bosId: number | null
  /** What may stand there, see {@link findStarts}. */
  starts: StartIds
  startTokens: StartTokens
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

/** What config.json and generation_config.json say of tokens; both may be absent. */
const ModelTokens = z.looseObject({
  bos_token_id: z.unknown().optional(),
  eos_token_id: z.unknown().optional(),
  pad_token_id: z.unknown().optional(),
})

/** One id, several, or none. */
const idsOf = (given: unknown): number[] => (Array.isArray(given) ? given.filter(isId) : isId(given) ? [given] : [])

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
    const reason = `its template asks for ${missing}, which it does not define`
    throw new AppError('file-corrupt', { path, format: 'tokenizer', reason })
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

/** The same tokenizer with something else before every text. */
export const startingWith = (tokenizer: Tokenizer, start: TextStart): Tokenizer => ({
  ...tokenizer,
  bosId: startOf(tokenizer.starts, start),
})

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
 * @param start what stands before every text
 * @throws AppError tokenizer-missing, tokenizer-unsupported, file-unreadable, file-corrupt, tokenizer-mismatch
 */
export async function loadTokenizer(
  folder: string,
  modelVocabulary?: number,
  start: TextStart = 'own',
): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json')
  if (!(await isFile(path))) throw new AppError('tokenizer-missing', { path: folder })
  const json = await readJson(path, TokenizerJson)
  const config = (await readJsonIfThere(join(folder, 'tokenizer_config.json'), TokenizerConfig)) ?? {}
  const model = (await readJsonIfThere(join(folder, 'config.json'), ModelTokens)) ?? {}
  const generation = (await readJsonIfThere(join(folder, 'generation_config.json'), ModelTokens)) ?? {}
  const entries = listVocabulary(json)
  requireSound(path, json, entries, modelVocabulary)
  const library = await openTokenizerLibrary(path, json, config)
  const ids = new Map(entries.map(({ token, id }) => [token, id]))
  const idOf = (token: string | null | undefined) => (token ? (ids.get(token) ?? null) : null)
  const found = await within(path, () => findStarts({ library, idOf, config, modelBos: model.bos_token_id }))
  const largest = largestOf(entries)
  const isKnown = (id: number) => id < (modelVocabulary ?? largest + 1)
  const starts = {
    own: found.own !== null && isKnown(found.own) ? found.own : null,
    bos: found.bos !== null && isKnown(found.bos) ? found.bos : null,
  }
  const tokenOf = (id: number | null) =>
    id === null ? null : (entries.find((entry) => entry.id === id)?.token ?? null)
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
    bosId: startOf(starts, start),
    starts,
    startTokens: { own: tokenOf(starts.own), bos: tokenOf(starts.bos) },
    specialIds: new Set([...idsOf(found.bos), ...named, ...ofModel].filter(isKnown)),
    stopIds: [...new Set(ends)].filter(isKnown),
    vocabulary: largest + 1,
    pieces: makePieces(entries, pieceStyle(json)),
    unfaithful: library.unfaithful,
    withoutRow: entries.filter(({ id }) => !isKnown(id)).map(({ token }) => token),
  }
}
