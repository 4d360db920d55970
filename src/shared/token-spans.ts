/**
 * Tokens as people read them: pieces are bytes, and bytes that only together form a character are joined into one span,
 * so that a token border never splits a Hangul syllable or an emoji.
 */
import type { TokenSpan } from './domain'

/** The bytes of every token of a vocabulary. */
export type TokenPieces = {
  /** All pieces after each other. */
  bytes: Uint8Array
  /** [vocabulary + 1]; token i is bytes[offsets[i], offsets[i + 1]). */
  offsets: Int32Array
  /** [vocabulary]; 1 for BOS, EOS and other tokens that are no text. */
  special: Uint8Array
}

/** What the contexts of an atlas are read with. */
export type AtlasText = {
  pieces: TokenPieces
  /** Token ids [start, start + length) of a document of its corpus, as far as it goes. */
  ids: (document: number, start: number, length: number) => Int32Array
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const hex = (byte: number) => `⟨${byte.toString(16).toUpperCase().padStart(2, '0')}⟩`

/** Length in bytes of the UTF-8 character that starts with this byte; 0 when none can. */
function characterLength(first: number): number {
  if (first < 0x80) return 1
  if (first >= 0xc2 && first < 0xe0) return 2
  if (first >= 0xe0 && first < 0xf0) return 3
  if (first >= 0xf0 && first < 0xf5) return 4
  return 0
}

/** Whether the bytes are whole characters so far, may become so with more bytes, or never will. */
function completeness(bytes: Uint8Array): 'whole' | 'open' | 'broken' {
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes[at] ?? 0)
    if (length === 0) return 'broken'
    for (let k = 1; k < length; k++) {
      if (at + k >= bytes.length) return 'open'
      if (((bytes[at + k] ?? 0) & 0xc0) !== 0x80) return 'broken'
    }
    at += length
  }
  return 'whole'
}

function decodeOrHex(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return Array.from(bytes, hex).join('')
  }
}

const join = (parts: Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A text as it was written, and where its tokens lie in it: UTF-16 units [2 * n], start and end; nowhere for BOS. */
export type WrittenText = { text: string; places: ArrayLike<number> }

/** Tokens [start, end) that are shown as one. */
type Group = { end: number; text: string }

/** The tokens from `start` on whose bytes make whole characters, or one alone, shown as bytes. */
function groupByBytes(ids: ArrayLike<number>, start: number, pieces: TokenPieces): Group {
  const pieceOf = (id: number) =>
    id >= 0 && id < pieces.special.length
      ? pieces.bytes.subarray(pieces.offsets[id], pieces.offsets[id + 1])
      : new Uint8Array()
  const first = ids[start] ?? -1
  let end = start + 1
  const parts = [pieceOf(first)]
  // A character has at most four bytes, so an open one is closed after three more tokens or never.
  let state = pieces.special[first] === 1 ? 'whole' : completeness(join(parts))
  while (state === 'open' && end < ids.length && end - start < 4 && pieces.special[ids[end] ?? -1] !== 1) {
    parts.push(pieceOf(ids[end] ?? -1))
    end++
    state = completeness(join(parts))
  }
  if (state !== 'whole') {
    end = start + 1
    parts.length = 1
  }
  // A row of the model's vocabulary that its tokenizer does not know has no text; its number is what can be said of it.
  return { end, text: decodeOrHex(join(parts)) || (first < 0 ? '' : `[${first}]`) }
}

/** The tokens from `start` on that lie at the same characters; `from` is where the text before them ends. */
function groupByPlace(
  ids: ArrayLike<number>,
  start: number,
  { text, places, pieces, from }: Placed,
): Group & { to: number } {
  let end = start + 1
  let to = places[2 * start + 1] ?? 0
  const isOfGroup = (at: number) => {
    const [first = 0, last = 0] = [places[2 * at], places[2 * at + 1]]
    return first < to || (pieces.special[ids[at] ?? -1] !== 1 && (first === last || to <= from))
  }
  while (end < ids.length && isOfGroup(end)) to = Math.max(to, places[2 * end++ + 1] ?? 0)
  return { end, to, text: text.slice(from, end === ids.length ? text.length : to) }
}

type Placed = WrittenText & { pieces: TokenPieces; from: number }

/**
 * Groups tokens into spans of whole characters.
 * @param ids token ids [n]
 * @param values activation of each token [n], or null for none; a span has the largest of its tokens
 * @param written the text that was read, where it is known: the spans then are its characters, every one of them, without the space that
 *   SentencePiece puts before it and in the case it was written in
 */
export function toSpans(
  ids: ArrayLike<number>,
  values: ArrayLike<number> | null,
  pieces: TokenPieces,
  written: WrittenText | null = null,
): TokenSpan[] {
  const spans: TokenSpan[] = []
  let from = 0
  for (let start = 0; start < ids.length;) {
    const special = pieces.special[ids[start] ?? -1] === 1
    const isPlaced =
      written !== null && (!special || (written.places[2 * start + 1] ?? 0) > (written.places[2 * start] ?? 0))
    let group: Group
    if (isPlaced) {
      const placed = groupByPlace(ids, start, { ...written, pieces, from })
      from = placed.to
      group = placed
    } else group = groupByBytes(ids, start, pieces)
    const own = Array.from({ length: group.end - start }, (_, i) => start + i)
    const value = own.reduce((largest, at) => Math.max(largest, values?.[at] ?? 0), 0)
    spans.push({ text: group.text, ids: own.map((at) => ids[at] ?? -1), value, special })
    start = group.end
  }
  return spans
}

/** A character has at most four bytes, each of which may be a token. */
const REACH = 3

/**
 * The spans of a stretch of a document. Where the stretch begins or ends within a character, the character is shown whole, with its tokens that
 * lie outside; their value is 0.
 * @param values activation of each token of the stretch, or null for none
 * @returns `start`: the place of the first token of the spans in the document
 */
export function stretchSpans(
  text: AtlasText,
  { document, start, length }: { document: number; start: number; length: number },
  values: ArrayLike<number> | null,
): { spans: TokenSpan[]; start: number } {
  const before = Math.min(REACH, start)
  const ids = text.ids(document, start - before, before + length + REACH)
  const padded = values && Float32Array.from(ids, (_, at) => values[at - before] ?? 0)
  const spans = toSpans(ids, padded, text.pieces)
  let at = 0
  const placed = spans.map((span) => {
    const first = at
    at += span.ids.length
    return { span, first, end: at }
  })
  const inside = placed.filter(({ first, end }) => end > before && first < before + length)
  return { spans: inside.map(({ span }) => span), start: start - before + (inside[0]?.first ?? before) }
}

const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** Tokens as one text; bytes that are no character become the replacement character. */
export function toText(ids: ArrayLike<number>, { bytes, offsets, special }: TokenPieces): string {
  const known = Array.from(ids).filter((id) => id >= 0 && special[id] === 0)
  return lenient.decode(join(known.map((id) => bytes.subarray(offsets[id], offsets[id + 1]))))
}
