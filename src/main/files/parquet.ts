/** Reads the text column of chosen rows out of Parquet files, page by page, wherever the bytes come from. */
import { open } from 'node:fs/promises'
import { AppError } from '../../shared/errors'
import { readChunk, type Chunk } from './parquet-pages'
import { ByteCursor, numberOf, readStruct, structOf, structsOf, type ThriftStruct } from './parquet-thrift'
import { readError } from './safetensors'

/** Enough for the footer of most files; a longer one takes a second request. */
const FOOTER_BYTES = 64 * 1024
const MAX_FOOTER_BYTES = 64 * 1024 ** 2
const MAX_INDEX_BYTES = 16 * 1024 ** 2
/** Bytes that are read at once from this machine. */
const LOCAL_READ_BYTES = 1024 ** 2
const MAX_GROUP_ROWS = 2 ** 27
const MAGIC = 'PAR1'

/** A Parquet file somewhere, read by parts. */
export type ParquetFile = {
  path: string
  bytes: number
  /** Bytes from `start` up to `end`. */
  slice: (start: number, end: number) => Promise<Uint8Array>
  /** Bytes that are worth asking for at once. */
  readBytes: number
}

/** Rows of one row group: [first, end) counted from the file's first row, and bytes of the column at most. */
export type RowPart = { file: ParquetFile; first: number; end: number; bytes: number; group: RowGroup }

type RowGroup = { first: number; rows: number; column: ThriftStruct; chunk: ThriftStruct; isNullable: boolean }

/** A file on this machine. */
export function localParquet(path: string, bytes: number): ParquetFile {
  const slice = async (start: number, end: number): Promise<Uint8Array> => {
    const part = new Uint8Array(end - start)
    try {
      const handle = await open(path, 'r')
      try {
        const { bytesRead } = await handle.read(part, 0, part.length, start)
        if (bytesRead < part.length) throw rowsInvalid(path, 0, 'it ends early')
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw readError(error, path)
    }
    return part
  }
  return { path, bytes, slice, readBytes: LOCAL_READ_BYTES }
}

export const rowsInvalid = (path: string, row: number, reason: string, cause?: unknown) =>
  new AppError('dataset-row-invalid', { path, row, reason }, { cause })

/** What is wrong with a file, as an error with its name; errors that have a name pass. */
const named = (error: unknown, path: string, row: number): AppError =>
  error instanceof AppError
    ? error
    : rowsInvalid(path, row, error instanceof Error ? error.message : String(error), error)

async function readFooter({ bytes, slice }: ParquetFile): Promise<ThriftStruct> {
  if (bytes < 12) throw new Error('it is too short')
  const tail = Buffer.from(await slice(Math.max(0, bytes - FOOTER_BYTES), bytes))
  if (tail.toString('latin1', tail.length - 4) !== MAGIC) throw new Error(`it does not end with ${MAGIC}`)
  const length = tail.readUInt32LE(tail.length - 8)
  if (length > Math.min(MAX_FOOTER_BYTES, bytes - 8)) throw new Error('its footer is too long')
  const end = bytes - 8
  if (length <= tail.length - 8) return readStruct(new ByteCursor(tail.subarray(tail.length - 8 - length, -8)))
  return readStruct(new ByteCursor(await slice(end - length, end)))
}

const nameOf = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '')

/** Columns at the top of the schema; one with columns of its own has them counted in field 5. */
function topColumns(footer: ThriftStruct): { name: string; element: ThriftStruct }[] {
  const [root, ...elements] = structsOf(footer, 2)
  if (!root) throw new Error('it has no schema')
  const columns: { name: string; element: ThriftStruct }[] = []
  let within = 0
  for (const element of elements) {
    if (within === 0) columns.push({ name: nameOf(element.get(4)), element })
    else within -= 1
    within += Math.max(0, numberOf(element, 5) ?? 0)
  }
  return columns
}

const TEXT_TYPE = 6
/** Other physical types by number, in words for people. */
const OTHER_TYPES = ['boolean', 'number', 'number', 'number', 'number', 'number', 'text', 'bytes']
/** UTF8, ENUM and JSON; other kinds of bytes are no text. */
const TEXT_KINDS = new Set([0, 4, 19])
const TEXT_MEANINGS = [1, 4, 12]

/** What a column holds when it is not text, for people; null for text. */
function otherKind(element: ThriftStruct): string | null {
  const [type, repetition, kind] = [numberOf(element, 1), numberOf(element, 3), numberOf(element, 6)]
  const meaning = structOf(element, 10)
  if (type === null || repetition === 2) return 'list'
  if (type !== TEXT_TYPE) return OTHER_TYPES[type] ?? 'unknown'
  const isText = (kind === null || TEXT_KINDS.has(kind)) && (!meaning || TEXT_MEANINGS.some((id) => meaning.has(id)))
  return isText ? null : 'bytes'
}

/** @throws AppError `dataset-column-missing` when it is not there or holds something else than text */
function textColumn(path: string, footer: ThriftStruct, field: string): ThriftStruct {
  const columns = topColumns(footer)
  const found = columns.find(({ name }) => name === field)
  const kind = found ? otherKind(found.element) : null
  if (found && kind === null) return found.element
  const known = columns.slice(0, 20).map(({ name }) => name)
  throw new AppError('dataset-column-missing', {
    ...{ path, field },
    columns: kind === null ? known.join(', ').slice(0, 1000) : `${field} (${kind})`,
  })
}

function groupsOf(footer: ThriftStruct, column: ThriftStruct): RowGroup[] {
  const name = nameOf(column.get(4))
  let first = 0
  return structsOf(footer, 4).map((group) => {
    const rows = numberOf(group, 3)
    if (rows === null || !(rows >= 0 && rows <= MAX_GROUP_ROWS)) throw new Error('a row group of it is too large')
    const chunk = structsOf(group, 1).find((one) => {
      const names = structOf(one, 3)?.get(3)
      return Array.isArray(names) && names.length === 1 && nameOf(names[0]) === name
    })
    const facts = chunk && structOf(chunk, 3)
    if (!chunk || !facts) throw new Error('a row group of it lacks the column')
    const start = first
    first += rows
    return { first: start, rows, column: facts, chunk, isNullable: numberOf(column, 3) !== 0 }
  })
}

/**
 * Reads a file's footer and says which of its row groups hold rows of [first, end).
 * @returns the parts and how many rows the whole file has
 * @throws AppError `dataset-column-missing`, `dataset-row-invalid`, and what the file's `slice` throws
 */
export async function planRows(
  file: ParquetFile,
  field: string,
  [first, end]: [number, number],
): Promise<{ parts: RowPart[]; rows: number }> {
  try {
    const footer = await readFooter(file)
    const groups = groupsOf(footer, textColumn(file.path, footer, field))
    const parts = groups.flatMap((group) => {
      const [from, to] = [Math.max(group.first, first), Math.min(group.first + group.rows, end)]
      return from < to ? [{ file, first: from, end: to, bytes: numberOf(group.column, 7) ?? 0, group }] : []
    })
    return { parts, rows: groups.reduce((sum, { rows }) => sum + rows, 0) }
  } catch (error) {
    throw named(error, file.path, 0)
  }
}

/** Where the pages of a group's column are. */
function chunkOf(file: ParquetFile, { column, rows, isNullable }: RowGroup): Chunk {
  const dictionary = numberOf(column, 11) ?? 0
  const start = dictionary > 0 ? dictionary : (numberOf(column, 9) ?? -1)
  const end = start + (numberOf(column, 7) ?? -1)
  if (!(start >= 0 && start <= end && end <= file.bytes)) throw new Error('it points outside itself')
  return { ranges: [[start, end]], skippedRows: 0, codec: numberOf(column, 4) ?? -1, isNullable, rows }
}

/** The same without the pages that have none of the rows, where the file says which page has which. */
async function narrowed(file: ParquetFile, group: RowGroup, whole: Chunk, wanted: [number, number]): Promise<Chunk> {
  const [at, length] = [numberOf(group.chunk, 4) ?? -1, numberOf(group.chunk, 5) ?? -1]
  const isWhole = wanted[0] === 0 && wanted[1] === group.rows
  if (isWhole || !(at >= 0 && length > 0 && length <= MAX_INDEX_BYTES && at + length <= file.bytes)) return whole
  const index = readStruct(new ByteCursor(await file.slice(at, at + length)))
  const pages = structsOf(index, 1).map((page) => ({ at: numberOf(page, 1) ?? -1, row: numberOf(page, 3) ?? -1 }))
  const [[start, end] = [0, 0]] = whole.ranges
  const isOrdered = pages.every((page, n) => {
    const next = pages[n + 1] ?? { at: end, row: group.rows }
    return page.at >= start && page.at < next.at && page.row >= 0 && page.row <= next.row
  })
  const [firstPage] = pages
  if (!firstPage || !isOrdered) return whole
  const from = pages.findLast(({ row }) => row <= wanted[0]) ?? firstPage
  const to = pages.find(({ row }) => row >= wanted[1])?.at ?? end
  const ranges: [number, number][] = [[from.at, to]]
  if (firstPage.at > start) ranges.unshift([start, firstPage.at])
  return { ...whole, ranges, skippedRows: from.row }
}

/**
 * The texts of a part's rows in order, some at a time; a row without one is left out.
 * @throws AppError `dataset-row-invalid`, and what the file's `slice` throws
 */
export async function* readTexts({ file, first, end, group }: RowPart): AsyncGenerator<string[]> {
  const wanted: [number, number] = [first - group.first, end - group.first]
  try {
    const chunk = await narrowed(file, group, chunkOf(file, group), wanted)
    yield* readChunk(file.slice, chunk, { first: wanted[0], end: wanted[1], ahead: file.readBytes })
  } catch (error) {
    throw named(error, file.path, first)
  }
}
