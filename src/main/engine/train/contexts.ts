/** Cuts documents into the windows a model reads, and keeps some documents apart to judge the result on. */
import { createHash } from 'node:crypto'
import { HELD_OUT_RULE, HELD_OUT_SHARE, HELD_OUT_TOKENS, heldOutTokensFor } from '../../../shared/held-out'
import type { HeldOutRule } from '../../../shared/held-out'
import { mix32 } from './random'

export { HELD_OUT_TOKENS }

/** A document and its place in the dataset. */
export type Document = { index: number; text: string }

/** What the windows need of a tokenizer. */
export type TextEncoder = { encode(text: string): number[] | Promise<number[]> }

/** Windows of many documents in flat arrays; window w holds ids[offsets[w], offsets[w + 1]), BOS first when there is one. */
export type Windows = {
  ids: Int32Array
  /** [windows + 1] */
  offsets: Int32Array
  /** [windows] index of the document in the dataset. */
  documents: Int32Array
  /** [windows] position of the first text token (after BOS) in its document. */
  starts: Int32Array
}

export type Corpus = {
  training: Windows
  heldOut: Windows
  /** True when the dataset went on after the last token that was taken. */
  cutShort: boolean
}

export type WindowOptions = { contextSize: number; bosId: number | null }

/** Ids kept in memory, at most (4 bytes each); a longer run goes over them several times. */
export const LARGEST_CORPUS_TOKENS = 2 ** 28

/** Number of windows. */
export const windowCount = (windows: Windows): number => windows.documents.length

type Uncounted = Pick<WindowOptions, 'bosId'> & { specialIds?: ReadonlySet<number> }

/**
 * Text tokens of all windows.
 * @param uncounted special tokens, BOS among them, count nowhere; where they are not given, the BOS before each window does not
 */
export function textTokens(windows: Windows, { bosId, specialIds }: Uncounted): number {
  const { ids } = windows
  if (!specialIds) return ids.length - (bosId === null ? 0 : windowCount(windows))
  return ids.reduce((sum, id) => sum + (specialIds.has(id) ? 0 : 1), 0)
}

/** 32 bits of a text that tell copies of it from others; white space around it does not count. */
const textHash = (text: string): number => createHash('sha256').update(text.trim()).digest().readUInt32LE()

/** What documents are told apart by: their places, or their texts. */
const keyOf = ({ index, text }: Document, rule: HeldOutRule): number =>
  rule === 1 ? index + 0x2545f491 : textHash(text)

const isKeyHeldOut = (key: number, seed: number) => mix32(mix32(seed) ^ mix32(key)) < HELD_OUT_SHARE * 2 ** 32

/** Whether a document is held out: a hash of the seed and, by the rule, its place or its text falls into the lowest 5 %. */
export const isHeldOut = (document: Document, { seed, rule }: { seed: number; rule: HeldOutRule }): boolean =>
  isKeyHeldOut(keyOf(document, rule), seed)

/**
 * Windows of one document, each of at most `contextSize` tokens, BOS included. Where the text itself has a BOS at the start of a
 * window, that one is taken: no window begins with two. A document without tokens has none.
 */
export function* cutDocument(
  ids: number[],
  { contextSize, bosId }: WindowOptions,
): Generator<{ ids: number[]; start: number }> {
  const length = bosId === null ? contextSize : contextSize - 1
  for (let at = 0; at < ids.length;) {
    let start = at
    while (bosId !== null && ids[start] === bosId) start += 1
    const part = ids.slice(start, start + length)
    if (part.length > 0) yield { ids: bosId === null ? part : [bosId, ...part], start }
    at = start + length
  }
}

/** Grows like an array and ends as a typed one. */
export class IntList {
  private data = new Int32Array(1024)
  length = 0

  push(values: readonly number[]): void {
    if (this.length + values.length > this.data.length) {
      const grown = new Int32Array(Math.max(2 * this.data.length, this.length + values.length))
      grown.set(this.data)
      this.data = grown
    }
    this.data.set(values, this.length)
    this.length += values.length
  }

  toArray(): Int32Array {
    return this.data.slice(0, this.length)
  }
}

/** Collects windows. */
export class WindowList {
  private readonly ids = new IntList()
  private readonly offsets = new IntList()
  private readonly documents = new IntList()
  private readonly starts = new IntList()

  constructor() {
    this.offsets.push([0])
  }

  get tokens(): number {
    return this.ids.length
  }

  get count(): number {
    return this.documents.length
  }

  add(window: { ids: readonly number[]; start: number }, document: number): void {
    this.ids.push(window.ids)
    this.offsets.push([this.ids.length])
    this.documents.push([document])
    this.starts.push([window.start])
  }

  toWindows(): Windows {
    return {
      ids: this.ids.toArray(),
      offsets: this.offsets.toArray(),
      documents: this.documents.toArray(),
      starts: this.starts.toArray(),
    }
  }
}

/** Some windows of others, in the order of `picked`. */
export function pickWindows(windows: Windows, picked: Iterable<number>): Windows {
  const list = new WindowList()
  for (const w of picked) {
    const ids = Array.from(windows.ids.subarray(windows.offsets[w], windows.offsets[w + 1]))
    list.add({ ids, start: windows.starts[w] ?? 0 }, windows.documents[w] ?? 0)
  }
  return list.toWindows()
}

/** The beginning of some windows with at most so many text tokens; the last window may be cut. */
export function firstTokens(
  { ids, offsets, documents, starts }: Windows,
  { tokens, bosId }: { tokens: number; bosId: number | null },
): Windows {
  const bos = bosId === null ? 0 : 1
  let count = 0
  let left = tokens
  while (count < documents.length && left > 0) {
    left -= (offsets[count + 1] ?? 0) - (offsets[count] ?? 0) - bos
    count += 1
  }
  const cut = offsets.slice(0, count + 1)
  const end = (cut[count] ?? 0) + Math.min(0, left)
  cut[count] = end
  return {
    ids: ids.subarray(0, end),
    offsets: cut,
    documents: documents.slice(0, count),
    starts: starts.slice(0, count),
  }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

/** No document was held out: the last document of several with all its copies, or the last windows of the only text. */
function splitLate(windows: Windows, keys: ReadonlyMap<number, number>): { training: Windows; heldOut: Windows } {
  const count = windowCount(windows)
  const keyAt = (at: number) => keys.get(windows.documents[at] ?? -1)
  const last = keyAt(count - 1)
  const late = range(0, count).filter((at) => keyAt(at) === last)
  const cut = count - Math.max(1, Math.round(HELD_OUT_SHARE * count))
  const heldOut = late.length < count ? late : range(cut, count)
  const isHeld = new Set(heldOut)
  const training = range(0, count).filter((at) => !isHeld.has(at))
  return { training: pickWindows(windows, training), heldOut: pickWindows(windows, heldOut) }
}

/**
 * Reads documents until there are `neededTokens` to train on, or to the end.
 * Every document whose seeded hash falls into the lowest 5 % is held out; of these, windows beyond {@link HELD_OUT_TOKENS}
 * tokens are neither trained on nor evaluated. When chance holds none out, the last document is, with its copies.
 * @param options `isTextOnly`: BOS does not count among the needed tokens; `rule`: how documents are picked, the current one unless given
 * @returns `isLate`: chance held none out, so what is depends on how far the dataset was read
 */
export async function collectCorpus(
  documents: AsyncIterable<Document>,
  tokenizer: TextEncoder,
  options: WindowOptions & { seed: number; neededTokens: number; isTextOnly?: boolean; rule?: HeldOutRule },
): Promise<Corpus & { isLate: boolean }> {
  const training = new WindowList()
  const heldOut = new WindowList()
  const wanted = Math.min(options.neededTokens, LARGEST_CORPUS_TOKENS)
  let cutShort = false
  const bos = options.isTextOnly === true && options.bosId !== null ? 1 : 0
  const trainable = () => training.tokens - bos * training.count
  const judgeable = () => heldOut.tokens - bos * heldOut.count
  const { seed, rule = HELD_OUT_RULE } = options
  /** Of the documents to train on, as long as none is held out. */
  const keys = new Map<number, number>()
  for await (const { index, text } of documents) {
    if (trainable() >= wanted && judgeable() >= heldOutTokensFor(wanted)) {
      cutShort = true
      break
    }
    const key = keyOf({ index, text }, rule)
    const into = isKeyHeldOut(key, seed) ? heldOut : training
    if (heldOut.count === 0) keys.set(index, key)
    for (const window of cutDocument(await tokenizer.encode(text), options)) {
      if (into === training || judgeable() < HELD_OUT_TOKENS) into.add(window, index)
    }
  }
  const split = { training: training.toWindows(), heldOut: heldOut.toWindows() }
  const isLate = heldOut.tokens === 0 && training.tokens > 0
  return { ...(isLate ? splitLate(split.training, keys) : split), cutShort, isLate }
}
