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

/**
 * Groups tokens into spans of whole characters.
 * @param ids token ids [n]
 * @param values activation of each token [n], or null for none; a span has the largest of its tokens
 */
export function toSpans(ids: ArrayLike<number>, values: ArrayLike<number> | null, pieces: TokenPieces): TokenSpan[] {
  const pieceOf = (id: number) =>
    id >= 0 && id < pieces.special.length
      ? pieces.bytes.subarray(pieces.offsets[id], pieces.offsets[id + 1])
      : new Uint8Array()
  const spans: TokenSpan[] = []
  for (let start = 0; start < ids.length;) {
    const first = ids[start] ?? -1
    const special = pieces.special[first] === 1
    let end = start + 1
    const parts = [pieceOf(first)]
    // A character has at most four bytes, so an open one is closed after three more tokens or never.
    let state = special ? 'whole' : completeness(join(parts))
    while (state === 'open' && end < ids.length && end - start < 4 && pieces.special[ids[end] ?? -1] !== 1) {
      parts.push(pieceOf(ids[end] ?? -1))
      end++
      state = completeness(join(parts))
    }
    if (state !== 'whole') {
      end = start + 1
      parts.length = 1
    }
    const spanIds: number[] = []
    let value = 0
    for (let i = start; i < end; i++) {
      spanIds.push(ids[i] ?? -1)
      value = Math.max(value, values?.[i] ?? 0)
    }
    // A row of the model's vocabulary that its tokenizer does not know has no text; its number is what can be said of it.
    const text = decodeOrHex(join(parts)) || (first < 0 ? '' : `[${first}]`)
    spans.push({ text, ids: spanIds, value, special })
    start = end
  }
  return spans
}

const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** Tokens as one text; bytes that are no character become the replacement character. */
export function toText(ids: ArrayLike<number>, { bytes, offsets, special }: TokenPieces): string {
  const known = Array.from(ids).filter((id) => id >= 0 && special[id] === 0)
  return lenient.decode(join(known.map((id) => bytes.subarray(offsets[id], offsets[id + 1]))))
}
