/**
 * What cuts texts into tokens: Hugging Face's own library where it has a binary for this machine, its JavaScript one elsewhere. The second one
 * reads some forms of tokenizer.json otherwise than the first, and says which.
 */
import { createRequire } from 'node:module'
import { Tokenizer as JavascriptTokenizer } from '@huggingface/tokenizers'
import { AppError } from '../../../shared/errors'
import { flatSteps, MODEL_FORMS } from './tokenizer-json'
import type { Step, TokenizerJson } from './tokenizer-json'

export type TokenizerLibrary = {
  /** Forms of this tokenizer.json that may get other ids here than the model's own tokenizer gives; none with the native library. */
  readonly unfaithful: readonly string[]
  /** @param withSpecials with what the tokenizer itself puts before and behind a text */
  encode(text: string, withSpecials: boolean): Promise<Encoded>
}

export type Encoded = {
  ids: number[]
  /**
   * Where in the text each token lies, code points [start, end); null where the library does not say. All tokens of one character share its
   * place; what no character of the text made (a space that is put before it) lies with the first one.
   */
  places: (() => number[][]) | null
}

/** Loaded when it is needed: it may have no binary here. */
const load = createRequire(import.meta.url)

/** The native library, or null on a machine without a binary; `MONOSCOPE_TOKENIZER=javascript` leaves it out. */
function loadNative(): typeof import('tokenizers') | null {
  if (process.env.MONOSCOPE_TOKENIZER === 'javascript') return null
  try {
    return load('tokenizers') as typeof import('tokenizers')
  } catch {
    return null
  }
}

function nativeLibrary({ Tokenizer }: typeof import('tokenizers'), path: string): TokenizerLibrary {
  const library = Tokenizer.fromFile(path)
  // What a training pipeline left in the file would cut or fill every text.
  library.disableTruncation()
  library.disablePadding()
  return {
    unfaithful: [],
    encode: async (text, addSpecialTokens) => {
      const encoding = await library.encode(text, null, { addSpecialTokens })
      return { ids: encoding.getIds(), places: () => encoding.getOffsets() }
    },
  }
}

function javascriptLibrary(json: TokenizerJson, config: object): TokenizerLibrary {
  // Its clean-up takes spaces before punctuation out of decoded text, which then is not what the tokens say.
  const library = new JavascriptTokenizer(json, { ...config, clean_up_tokenization_spaces: false })
  return {
    unfaithful: unfaithfulForms(json),
    // It gives no id to what neither the vocabulary nor an unknown token has; such characters are left out, as in the native library.
    encode: (text, withSpecials) => {
      const { ids } = library.encode(text, { add_special_tokens: withSpecials })
      return Promise.resolve({ ids: ids.filter(Number.isInteger), places: null })
    },
  }
}

/** What the JavaScript library has not at all. */
const UNREAD = ['UnicodeScripts', 'CharDelimiterSplit', 'Nmt', 'WordLevel']
/** What it was seen to read otherwise in some text, by tests/unit/tokenizer-forms.test.ts and by an independent trial. */
const UNFAITHFUL = ['Whitespace', 'Digits', 'Precompiled', 'Unigram', 'WordPiece']

/** A step as people find it in the file, with what decides whether it is read faithfully. */
function formOf({ type = '', behavior, split, use_regex }: Step): string {
  if (type === 'ByteLevel' && use_regex !== false) return 'ByteLevel use_regex'
  if (type === 'Metaspace' && split !== false) return 'Metaspace split'
  return type === 'Split' && behavior === 'Contiguous' ? 'Split Contiguous' : type
}

const formsOf = ({ model, normalizer, pre_tokenizer }: TokenizerJson) => [
  ...new Set([...flatSteps(normalizer).map(formOf), ...flatSteps(pre_tokenizer).map(formOf), model.type ?? '']),
]

/** The forms of a tokenizer.json that the JavaScript library may read otherwise, as they are named in the file. */
function unfaithfulForms(json: TokenizerJson): string[] {
  return formsOf(json).filter((form) => form.includes(' ') || UNFAITHFUL.includes(form))
}

/** Runs a part of a library, which trusts its files, and turns what it throws into words. */
export async function within<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const reason = `it cannot be used (${error instanceof Error ? error.message : String(error)})`
    throw new AppError('file-corrupt', { path, format: 'tokenizer', reason }, { cause: error })
  }
}

/** @throws AppError tokenizer-unsupported, file-corrupt */
export async function openTokenizerLibrary(
  path: string,
  json: TokenizerJson,
  config: object,
): Promise<TokenizerLibrary> {
  const native = loadNative()
  const unread = formsOf(json).find((form) => (native ? [] : UNREAD).includes(form))
  const { type } = json.model
  const unknown = type !== undefined && !MODEL_FORMS.includes(type) ? type : unread
  if (unknown !== undefined) throw new AppError('tokenizer-unsupported', { path, form: unknown })
  return within(path, () => (native ? nativeLibrary(native, path) : javascriptLibrary(json, config)))
}
