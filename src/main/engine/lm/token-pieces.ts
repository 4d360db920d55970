/** The bytes of every token of a vocabulary, from the three ways tokenizers write text into their vocabularies. */
import type { TokenPieces } from '../../../shared/token-spans'

/**
 * - `byte-level`: every byte is one printable character (GPT-2, Llama 3, Qwen)
 * - `metaspace`: `▁` stands for a space and `<0x0A>` for a byte outside the vocabulary (SentencePiece: Llama 1 and 2)
 * - `plain`: tokens are the text itself
 */
export type PieceStyle = 'byte-level' | 'metaspace' | 'plain'

export type VocabularyEntry = { id: number; token: string; special: boolean; added: boolean }

const encoder = new TextEncoder()

/** Characters of byte-level vocabularies: printable Latin-1 for themselves, the other 68 bytes from U+0100 on, in order. */
function byteLevelAlphabet(): Map<string, number> {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  const alphabet = new Map<string, number>()
  let moved = 0
  for (let byte = 0; byte < 256; byte++) {
    alphabet.set(String.fromCodePoint(isPrintable(byte) ? byte : 0x100 + moved++), byte)
  }
  return alphabet
}

const ALPHABET = byteLevelAlphabet()

function byteLevelPiece(token: string): Uint8Array {
  const bytes: number[] = []
  for (const char of token) {
    const byte = ALPHABET.get(char)
    if (byte === undefined) bytes.push(...encoder.encode(char))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

function metaspacePiece(token: string): Uint8Array {
  const [, hex] = /^<0x([0-9A-Fa-f]{2})>$/.exec(token) ?? []
  return hex === undefined ? encoder.encode(token.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(hex, 16))
}

function pieceOf({ token, added }: VocabularyEntry, style: PieceStyle): Uint8Array {
  // Added tokens stand in text as they are written.
  if (added || style === 'plain') return encoder.encode(token)
  return style === 'byte-level' ? byteLevelPiece(token) : metaspacePiece(token)
}

/** @returns pieces for ids 0 to the largest one; ids without an entry are empty */
export function makePieces(entries: readonly VocabularyEntry[], style: PieceStyle): TokenPieces {
  const vocabulary = entries.reduce((largest, { id }) => Math.max(largest, id + 1), 0)
  const parts: Uint8Array[] = Array.from({ length: vocabulary }, () => new Uint8Array())
  const special = new Uint8Array(vocabulary)
  for (const entry of entries) {
    parts[entry.id] = pieceOf(entry, style)
    special[entry.id] = entry.special ? 1 : 0
  }
  const offsets = new Int32Array(vocabulary + 1)
  parts.forEach((part, id) => (offsets[id + 1] = (offsets[id] ?? 0) + part.length))
  const bytes = new Uint8Array(offsets[vocabulary] ?? 0)
  parts.forEach((part, id) => bytes.set(part, offsets[id]))
  return { bytes, offsets, special }
}
