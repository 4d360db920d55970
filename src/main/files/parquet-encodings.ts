/**
 * Decodes the values of a Parquet page: runs of small numbers (levels and dictionary indexes), and texts as plain, by dictionary, or as
 * differences. What the bytes promise is checked before it is allocated, and nothing repeats without an end.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
import { ByteCursor } from './parquet-thrift'

/** A page has some ten thousand values; more than these would be a trap. */
export const MAX_PAGE_VALUES = 2 ** 24
/** Texts of one page that are stored as differences may be far longer than the page. */
const MAX_PAGE_TEXT_BYTES = 256 * 1024 ** 2
const MAX_BLOCK_VALUES = 2 ** 16

/** Numbers of a few bits, least significant bit first. */
class BitReader {
  private held = 0
  private bits = 0

  constructor(private readonly cursor: ByteCursor) {}

  /** @param width 0 to 32 bits */
  next(width: number): number {
    // Products and remainders, because shifts end at 32 bits and up to 39 are held.
    while (this.bits < width) {
      this.held += this.cursor.byte() * 2 ** this.bits
      this.bits += 8
    }
    const value = this.held % 2 ** width
    this.held = (this.held - value) / 2 ** width
    this.bits -= width
    return value
  }
}

/** `count` numbers of `width` bits in the hybrid of runs and packed groups of eight, as runs of equal ones. */
export function* readRuns(
  cursor: ByteCursor,
  width: number,
  count: number,
): Generator<{ value: number; length: number }> {
  if (width > 32) throw new Error('a page of it has numbers of too many bits')
  for (let done = 0; done < count;) {
    const head = cursor.varint()
    const half = Math.floor(head / 2)
    if (head % 2 === 0) {
      const value = new BitReader(cursor).next(8 * Math.ceil(width / 8))
      const length = Math.min(half, count - done)
      if (length > 0) yield { value, length }
      done += length
    } else {
      const packed = new BitReader(new ByteCursor(cursor.take(Math.min(half * width, cursor.left))))
      const length = Math.min(8 * half, count - done)
      for (let n = 0; n < length; n++) yield { value: packed.next(width), length: 1 }
      done += length
    }
  }
}

/** 32-bit whole numbers as differences. The cursor is left behind them. */
function readDeltas(cursor: ByteCursor, count: number): Int32Array {
  const blockValues = cursor.varint()
  const parts = cursor.varint()
  const stored = cursor.varint()
  const partValues = blockValues / parts
  if (!(blockValues <= MAX_BLOCK_VALUES && Number.isInteger(partValues) && partValues > 0 && partValues % 8 === 0)) {
    throw new Error('a page of it has blocks of an impossible size')
  }
  if (stored !== count || count > MAX_PAGE_VALUES) throw new Error('a page of it has another number of values')
  const values = new Int32Array(count)
  let value = cursor.zigzag() | 0
  if (count > 0) values[0] = value
  for (let at = 1; at < count;) {
    const smallest = cursor.zigzag()
    const widths = cursor.take(parts)
    for (let part = 0; part < parts && at < count; part++) {
      const width = widths[part] ?? 0
      if (width > 32) throw new Error('a page of it has numbers of too many bits')
      const packed = new BitReader(new ByteCursor(cursor.take((partValues * width) / 8)))
      for (let n = 0; n < partValues && at < count; n++) {
        // 32-bit arithmetic wraps.
        value = (value + smallest + packed.next(width)) | 0
        values[at++] = value
      }
    }
  }
  return values
}

/** Texts one after the other. */
export type Texts = { next(): string }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    throw new Error('a text in it is not UTF-8', { cause: error })
  }
}

/** Each text behind its length. */
export function plainTexts(cursor: ByteCursor): Texts {
  return { next: () => textOf(cursor.take(cursor.uint32())) }
}

/** All lengths, then all bytes. */
function lengthBytes(cursor: ByteCursor, count: number): () => Uint8Array {
  const lengths = readDeltas(cursor, count)
  let at = 0
  return () => cursor.take(lengths[at++] ?? -1)
}

/** All lengths, then all texts. */
export function lengthTexts(cursor: ByteCursor, count: number): Texts {
  const bytes = lengthBytes(cursor, count)
  return { next: () => textOf(bytes()) }
}

/** Each text as so many bytes of the one before, and some more. */
export function prefixTexts(cursor: ByteCursor, count: number): Texts {
  const prefixes = readDeltas(cursor, count)
  const suffixes = lengthBytes(cursor, count)
  let [at, total] = [0, 0]
  let last: Uint8Array = new Uint8Array(0)
  return {
    next: () => {
      const kept = prefixes[at++] ?? -1
      const suffix = suffixes()
      if (!(kept >= 0 && kept <= last.length)) throw new Error('a text in it continues one that is shorter')
      total += kept + suffix.length
      if (total > MAX_PAGE_TEXT_BYTES) throw new Error('a page of it is too large')
      const bytes = new Uint8Array(kept + suffix.length)
      bytes.set(last.subarray(0, kept))
      bytes.set(suffix, kept)
      last = bytes
      return textOf(bytes)
    },
  }
}

/** Places in a dictionary: the width of the numbers in a byte, then their runs. */
export function dictionaryTexts(cursor: ByteCursor, count: number, dictionary: readonly string[]): Texts {
  const runs = readRuns(cursor, cursor.byte(), count)
  let [value, left] = [0, 0]
  return {
    next: () => {
      while (left === 0) {
        const run = runs.next()
        if (run.done) throw new Error('a page of it ends early')
        ;({ value, length: left } = run.value)
      }
      left -= 1
      const text = dictionary[value]
      if (text === undefined) throw new Error('a page of it names a text that its dictionary does not have')
      return text
    },
  }
}
