/** The tokenizer of a model folder: text to ids, ids to text, and the bytes of every token. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import type { TokenPieces } from '../../../shared/token-spans'
import { makePieces } from './token-pieces'
import type { PieceStyle, VocabularyEntry } from './token-pieces'
import { readJson } from './weights'

export type Tokenizer = {
  /**
   * Ids of a text, without BOS. SentencePiece tokenizers read a text as if a space stood before it, so the first piece
   * shows one that the text does not have.
   */
  encode(text: string): number[]
  /** The text of ids without BOS and other special tokens. */
  decode(ids: readonly number[]): string
  /** Starts every document, or null when the tokenizer knows no such token. */
  bosId: number | null
  /** The largest id plus one; a model's vocabulary may be padded beyond it. */
  vocabulary: number
  pieces: TokenPieces
}

/** The parts of tokenizer.json that decide how tokens are written; the rest is left to the library. */
type Step = { type?: string | undefined; [part: string]: unknown }
const Step: z.ZodType<Step> = z.looseObject({ type: z.string().optional() })
const TokenizerJson = z.looseObject({
  model: z.looseObject({
    type: z.enum(['BPE', 'WordPiece', 'Unigram']).optional(),
    vocab: z.union([z.record(z.string(), z.int().min(0)), z.array(z.unknown())]),
    byte_fallback: z.boolean().nullish(),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int().min(0), content: z.string(), special: z.boolean() })).nullish(),
  decoder: Step.nullish(),
  pre_tokenizer: Step.nullish(),
})
type TokenizerJson = z.infer<typeof TokenizerJson>

const SpecialName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const TokenizerConfig = z.looseObject({ bos_token: SpecialName })

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

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

/** The token a template puts before a text; else the one that the configuration names. */
function findBos(library: HfTokenizer, config: z.infer<typeof TokenizerConfig>): number | null {
  const withSpecials = library.encode('a').ids
  const bare = library.encode('a', { add_special_tokens: false }).ids
  const [first] = withSpecials
  if (first !== undefined && withSpecials.length > bare.length && first !== bare[0]) return first
  const name = typeof config.bos_token === 'object' ? config.bos_token?.content : config.bos_token
  return name ? (library.token_to_id(name) ?? null) : null
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

/**
 * @param folder of a model, with tokenizer.json and, where published, tokenizer_config.json
 * @param modelVocabulary how many ids the model knows; a tokenizer with larger ids is refused
 * @throws AppError tokenizer-missing, file-unreadable, file-corrupt, tokenizer-mismatch
 */
export async function loadTokenizer(folder: string, modelVocabulary?: number): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json')
  if (!(await isThere(path))) throw new AppError('tokenizer-missing', { path: folder })
  const json = await readJson(path, TokenizerJson)
  const configPath = join(folder, 'tokenizer_config.json')
  const config = (await isThere(configPath)) ? await readJson(configPath, TokenizerConfig) : {}
  let library: HfTokenizer
  let bosId: number | null
  let entries: VocabularyEntry[]
  try {
    library = new HfTokenizer(json, config)
    bosId = findBos(library, config)
    entries = listVocabulary(library, json)
  } catch (error) {
    const reason = `it cannot be used (${error instanceof Error ? error.message : String(error)})`
    throw new AppError('file-corrupt', { path, format: 'tokenizer', reason }, { cause: error })
  }
  const largest = entries.reduce((id, entry) => Math.max(id, entry.id), -1)
  if (modelVocabulary !== undefined && largest >= modelVocabulary) {
    throw new AppError('tokenizer-mismatch', { largest, vocabulary: modelVocabulary })
  }
  return {
    encode: (text) => (text === '' ? [] : library.encode(text, { add_special_tokens: false }).ids),
    decode: (ids) => (ids.length === 0 ? '' : library.decode([...ids], { skip_special_tokens: true })),
    bosId,
    vocabulary: largest + 1,
    pieces: makePieces(entries, pieceStyle(json)),
  }
}
