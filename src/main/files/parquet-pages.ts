/** Reads the texts of one column chunk of a Parquet file page by page, so that no more than a page and a dictionary are in memory. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { compressors, decompressZstd } from 'hyparquet-compressors'
import {
  dictionaryTexts,
  lengthTexts,
  MAX_PAGE_VALUES,
  plainTexts,
  prefixTexts,
  readRuns,
  type Texts,
} from './parquet-encodings'
import { ByteCursor, numberOf, readStruct, structOf, type ThriftStruct } from './parquet-thrift'

/** Pages are about a megabyte; a whole document has to fit into one. */
export const MAX_PAGE_BYTES = 128 * 1024 ** 2
/** Headers hold statistics, with the smallest and largest text cut or not. */
const MAX_HEADER_BYTES = 1024 ** 2

/** A part of a file, from byte `start` up to `end`. */
export type Slice = (start: number, end: number) => Promise<Uint8Array>

export type Chunk = {
  /** Where its pages are, the dictionary first; those before the wanted rows may be left out. */
  ranges: readonly (readonly [number, number])[]
  /** Rows of the pages that are left out. */
  skippedRows: number
  codec: number
  /** Rows may have no text. */
  isNullable: boolean
  /** Rows of its row group. */
  rows: number
}

/** A look at the coming bytes of a range. What it shows is overwritten by the next look, so that one buffer is enough. */
class Window {
  private buffer: Uint8Array = new Uint8Array(0)
  /** What is held: bytes [from, to) of the buffer are bytes [at, at + to - from) of the file. */
  private from = 0
  private to = 0
  private at: number
  private readonly end: number

  /** @param ahead bytes that are asked for at once */
  constructor(
    private readonly slice: Slice,
    range: readonly [number, number],
    private readonly ahead: number,
  ) {
    ;[this.at, this.end] = range
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  /** The next bytes: so many, or all that are left. */
  async look(length: number): Promise<Uint8Array> {
    const held = this.to - this.from
    if (held < Math.min(length, this.end - this.at)) {
      this.append(await this.slice(this.at + held, Math.min(this.end, this.at + Math.max(length, this.ahead))))
    }
    return this.buffer.subarray(this.from, Math.min(this.to, this.from + length))
  }

  skip(length: number): void {
    this.from += length
    this.at += length
  }

  private append(more: Uint8Array): void {
    const held = this.buffer.subarray(this.from, this.to)
    if (held.length + more.length > this.buffer.length) this.buffer = new Uint8Array(held.length + more.length)
    this.buffer.set(held)
    this.buffer.set(more, held.length)
    ;[this.from, this.to] = [0, held.length + more.length]
  }
}

function inflate(codec: number, bytes: Uint8Array, length: number): Uint8Array {
  // A limit of 0 is none to zlib.
  const limit = { maxOutputLength: Math.max(1, length) }
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return compressors.SNAPPY?.(bytes, length) ?? bytes
    case 2:
      return gunzipSync(bytes, limit)
    case 4:
      return brotliDecompressSync(bytes, limit)
    case 5:
      return compressors.LZ4?.(bytes, length) ?? bytes
    case 6:
      return decompressZstd(bytes, new Uint8Array(length))
    case 7:
      return compressors.LZ4_RAW?.(bytes, length) ?? bytes
    default:
      throw new Error(`its compression (${codec}) is not known here`)
  }
}

function inflated(codec: number, bytes: Uint8Array, length: number): Uint8Array {
  const page = inflate(codec, bytes, length)
  if (page.length !== length) throw new Error('a page of it has another length than its header says')
  return page
}

type Page = { header: ThriftStruct; type: number; bytes: Uint8Array; length: number }

async function nextPage(window: Window): Promise<Page> {
  const cursor = new ByteCursor(await window.look(MAX_HEADER_BYTES))
  const header = readStruct(cursor)
  const [type, length, stored] = [numberOf(header, 1), numberOf(header, 2), numberOf(header, 3)]
  const isSize = (bytes: number | null): bytes is number => bytes !== null && bytes >= 0
  if (type === null || !isSize(length) || !isSize(stored)) throw new Error('a page of it has no proper header')
  if (Math.max(length, stored) > MAX_PAGE_BYTES) throw new Error('a page of it is too large')
  window.skip(cursor.at)
  const bytes = await window.look(stored)
  if (bytes.length < stored) throw new Error('a page of it ends early')
  window.skip(stored)
  return { header, type, bytes, length }
}

function readDictionary({ header, bytes, length }: Page, codec: number): string[] {
  const count = numberOf(structOf(header, 7) ?? new Map<number, never>(), 1) ?? -1
  const cursor = new ByteCursor(inflated(codec, bytes, length))
  // Each text has its length in four bytes.
  if (!(count >= 0 && count <= MAX_PAGE_VALUES && 4 * count <= cursor.left)) {
    throw new Error('a dictionary in it has an impossible number of texts')
  }
  const texts = plainTexts(cursor)
  const dictionary: string[] = []
  for (let n = 0; n < count; n++) dictionary.push(texts.next())
  return dictionary
}

/** Levels and values of a data page. `levels` are null where every row has a text. */
type DataPage = { encoding: number; levels: Uint8Array | null; values: ByteCursor }

function splitFirstKind({ header, bytes, length }: Page, { codec, isNullable }: Chunk): DataPage {
  const facts = structOf(header, 5)
  const encoding = facts && numberOf(facts, 2)
  if (!facts || encoding === null) throw new Error('a page of it has no proper header')
  const values = new ByteCursor(inflated(codec, bytes, length))
  if (isNullable && numberOf(facts, 3) !== 3) throw new Error('its levels are of a kind that is not known here')
  return { encoding, levels: isNullable ? values.take(values.uint32()) : null, values }
}

/** The second kind keeps its levels outside what is compressed. */
function splitSecondKind({ header, bytes, length }: Page, { codec, isNullable }: Chunk): DataPage {
  const facts = structOf(header, 8)
  const encoding = facts && numberOf(facts, 4)
  if (!facts || encoding === null) throw new Error('a page of it has no proper header')
  const cursor = new ByteCursor(bytes)
  cursor.take(numberOf(facts, 6) ?? 0)
  const levels = cursor.take(numberOf(facts, 5) ?? 0)
  const rest = cursor.take(cursor.left)
  const isPacked = facts.get(7) !== false
  const values =
    isPacked && rest.length > 0 ? inflated(codec, rest, Math.max(0, length - bytes.length + rest.length)) : rest
  return { encoding, levels: isNullable ? levels : null, values: new ByteCursor(values) }
}

function textsOf({ encoding, values }: DataPage, present: number, dictionary: readonly string[] | null): Texts {
  switch (encoding) {
    case 0:
      return plainTexts(values)
    case 2:
    case 8:
      if (!dictionary) throw new Error('a dictionary in it is missing')
      return dictionaryTexts(values, present, dictionary)
    case 6:
      return lengthTexts(values, present)
    case 7:
      return prefixTexts(values, present)
    default:
      throw new Error(`its encoding (${encoding}) is not known here`)
  }
}

/** Which rows have a text, as runs; the level of a row with a text is 1. */
const runsOf = (levels: Uint8Array | null, count: number): Iterable<{ value: number; length: number }> =>
  levels ? readRuns(new ByteCursor(levels), 1, count) : [{ value: 1, length: count }]

/** Texts of rows [first, end) of a page with `count` rows. */
function readPage(
  page: DataPage,
  count: number,
  [first, end]: readonly [number, number],
  dictionary: readonly string[] | null,
): string[] {
  let present = 0
  for (const { value, length } of runsOf(page.levels, count)) if (value === 1) present += length
  const found: string[] = []
  if (present === 0) return found
  const texts = textsOf(page, present, dictionary)
  let row = 0
  for (const { value, length } of runsOf(page.levels, count)) {
    const next = row + length
    if (value !== 1) row = next
    for (; row < next && row < end; row++) {
      const text = texts.next()
      if (row >= first) found.push(text)
    }
    if (row >= end) break
  }
  return found
}

async function* pagesOf(slice: Slice, { ranges }: Chunk, ahead: number): AsyncGenerator<Page> {
  for (const range of ranges) {
    const window = new Window(slice, range, ahead)
    while (!window.isAtEnd) yield await nextPage(window)
  }
}

/**
 * Texts of rows [first, end) of a chunk, those of a page at a time; rows without a text are left out.
 * @param ahead bytes that are asked for at once
 * @throws Error with what is wrong
 */
export async function* readChunk(
  slice: Slice,
  chunk: Chunk,
  { first, end, ahead }: { first: number; end: number; ahead: number },
): AsyncGenerator<string[]> {
  let dictionary: string[] | null = null
  let row = chunk.skippedRows
  for await (const page of pagesOf(slice, chunk, ahead)) {
    if (page.type === 2) dictionary = readDictionary(page, chunk.codec)
    if (page.type !== 0 && page.type !== 3) continue
    const facts = structOf(page.header, page.type === 0 ? 5 : 8)
    const count = facts ? numberOf(facts, 1) : null
    if (count === null || !(count >= 0 && count <= MAX_PAGE_VALUES && row + count <= chunk.rows)) {
      throw new Error('a page of it has another number of rows than its row group')
    }
    if (row + count > first) {
      const data = page.type === 0 ? splitFirstKind(page, chunk) : splitSecondKind(page, chunk)
      yield readPage(data, count, [first - row, end - row], dictionary)
    }
    row += count
    if (row >= end) return
  }
  throw new Error('it has fewer rows than it promises')
}
