/** Reads the text column of chosen rows out of Parquet files, one row group at a time, wherever the bytes come from. */
import { open } from 'node:fs/promises'
import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type FileMetaData } from 'hyparquet'
import { compressors, type Compressors } from 'hyparquet-compressors'
import { AppError } from '../../shared/errors'
import { readError } from './safetensors'

/** Enough for the footer of most files; a longer one takes a second request. */
const FOOTER_BYTES = 64 * 1024
const MAX_FOOTER_BYTES = 64 * 1024 ** 2
/** A row group is read as a whole; larger ones would not fit beside a model. */
export const MAX_GROUP_BYTES = 1024 ** 3
/** Pages are about a megabyte; what a file says about their size is not believed without a limit. */
const MAX_PAGE_BYTES = 256 * 1024 ** 2

const cappedCompressors: Compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, inflate]) => [
    codec,
    (input: Uint8Array, outputLength: number) => {
      if (outputLength > MAX_PAGE_BYTES) throw new Error('a page of it is too large')
      return inflate(input, outputLength)
    },
  ]),
)

/** A Parquet file somewhere, read by parts. */
export type ParquetFile = { path: string; buffer: AsyncBuffer }

/** Rows of one row group: [first, end) counted from the file's first row. */
export type RowPart = { file: ParquetFile; metadata: FileMetaData; first: number; end: number; bytes: number }

/** A file on this machine. */
export function localParquet(path: string, bytes: number): ParquetFile {
  const slice = async (start: number, end = bytes): Promise<ArrayBuffer> => {
    const length = Math.min(end, bytes) - start
    if (!(start >= 0 && length >= 0 && length <= MAX_GROUP_BYTES))
      throw rowsInvalid(path, 0, 'it points outside itself')
    const part = new Uint8Array(length)
    try {
      const handle = await open(path, 'r')
      try {
        const { bytesRead } = await handle.read(part, 0, length, start)
        if (bytesRead < length) throw rowsInvalid(path, 0, 'it ends early')
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw readError(error, path)
    }
    return part.buffer
  }
  return { path, buffer: { byteLength: bytes, slice } }
}

export const rowsInvalid = (path: string, row: number, reason: string) =>
  new AppError('dataset-row-invalid', { path, row, reason })

/** What the library says about a broken file, as an error with the file's name; our own errors pass. */
async function named<T>(path: string, row: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    throw rowsInvalid(path, row, error instanceof Error ? error.message : String(error))
  }
}

/**
 * Reads a file's footer and says which of its row groups hold rows of [first, end).
 * @returns the parts and how many rows the whole file has
 * @throws AppError `dataset-column-missing`, `dataset-row-invalid`, and what the buffer throws
 */
export async function planRows(
  file: ParquetFile,
  field: string,
  [first, end]: [number, number],
): Promise<{ parts: RowPart[]; rows: number }> {
  const metadata = await named(file.path, 0, async () => {
    const { byteLength } = file.buffer
    if (byteLength < 12) throw new Error('it is too short')
    const tail = new DataView(await file.buffer.slice(byteLength - 8, byteLength))
    if (tail.getUint32(0, true) > MAX_FOOTER_BYTES) throw new Error('its footer is too long')
    return parquetMetadataAsync(file.buffer, { initialFetchSize: FOOTER_BYTES })
  })
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
  if (!columns.includes(field)) {
    const known = columns.slice(0, 20).join(', ')
    throw new AppError('dataset-column-missing', { path: file.path, field, columns: known })
  }
  const parts: RowPart[] = []
  let at = 0
  for (const group of metadata.row_groups) {
    const next = at + Number(group.num_rows)
    const [from, to] = [Math.max(at, first), Math.min(next, end)]
    const chunks = group.columns.flatMap(({ meta_data: meta }) => (meta?.path_in_schema[0] === field ? [meta] : []))
    const inflated = chunks.reduce((sum, meta) => sum + Number(meta.total_uncompressed_size), 0)
    const bytes = chunks.reduce((sum, meta) => sum + Number(meta.total_compressed_size), 0)
    if (from < to) {
      if (Math.max(inflated, bytes) > MAX_GROUP_BYTES) throw rowsInvalid(file.path, at, 'its row group is too large')
      parts.push({ file, metadata, first: from, end: to, bytes })
    }
    at = next
  }
  return { parts, rows: at }
}

/**
 * The texts of a part's rows in order; a row without one is left out.
 * @throws AppError `dataset-column-missing` when the column holds something else than text, `dataset-row-invalid`
 */
export async function readTexts({ file, metadata, first, end }: RowPart, field: string): Promise<string[]> {
  const rows: Record<string, unknown>[] = await named(file.path, first, () =>
    parquetReadObjects({
      ...{ file: file.buffer, metadata, columns: [field], rowStart: first, rowEnd: end },
      ...{ compressors: cappedCompressors, useOffsetIndex: true },
    }),
  )
  const texts: string[] = []
  for (const { [field]: value } of rows) {
    if (value === null || value === undefined) continue
    if (typeof value !== 'string') {
      throw new AppError('dataset-column-missing', { path: file.path, field, columns: `${field} (${typeof value})` })
    }
    texts.push(value)
  }
  return texts
}
