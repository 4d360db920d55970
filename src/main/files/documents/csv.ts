/** Documents of a CSV or TSV file (RFC 4180): a header row, and the text in one of its columns. */
import { extname } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { CsvError, parse, type Parser } from 'csv-parse'
import { AppError } from '../../../shared/errors'
import { firstInvalidByte, lastCharacterStart } from '../lines'
import { readPlain, unpackedName } from '../plain-stream'

/** A quote that is never closed would otherwise swallow the file. */
const LONGEST_ROW_BYTES = 32 * 1024 * 1024
/** Columns of one row, whose cells cost memory even when they are empty, which the limit of bytes does not see. */
const MOST_COLUMNS = 2_000_000
/** The parser makes rows of a whole chunk before the first is taken. */
const CHUNK_BYTES = 256 * 1024

/** The file in pieces of whole characters. @throws AppError file-missing, file-unreadable, dataset-binary */
async function* readCharacters(path: string): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  let offset = 0
  const checked = (bytes: Uint8Array): Uint8Array => {
    const invalid = firstInvalidByte(bytes)
    if (invalid >= 0) throw new AppError('dataset-binary', { path, offset: offset + invalid })
    offset += bytes.length
    return bytes
  }
  for await (const chunk of readPlain(path, CHUNK_BYTES)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const cut = lastCharacterStart(bytes)
    rest = bytes.subarray(cut)
    if (cut > 0) yield checked(bytes.subarray(0, cut))
  }
  if (rest.length > 0) yield checked(rest)
}

function countOf(bytes: Uint8Array, wanted: number): number {
  let count = 0
  for (const byte of bytes) if (byte === wanted) count += 1
  return count
}

/** Hands the file to the parser while rows come out of it. @throws AppError dataset-row-invalid; as {@link readCharacters} */
async function* whileRowsEnd(path: string, parser: Parser, separator: string): AsyncGenerator<Uint8Array> {
  let [separators, rows] = [0, 0]
  for await (const bytes of readCharacters(path)) {
    if (parser.info.records > rows) [separators, rows] = [0, parser.info.records]
    separators += countOf(bytes, separator.charCodeAt(0))
    if (separators > MOST_COLUMNS) {
      const reason = `it has more than ${MOST_COLUMNS.toLocaleString('en-US')} columns`
      throw new AppError('dataset-row-invalid', { path, row: rows + 1, reason })
    }
    yield bytes
  }
}

/** @throws AppError file-missing, file-unreadable, dataset-binary, dataset-column-missing, dataset-row-invalid */
export async function* readCsv(path: string, field: string): AsyncGenerator<string> {
  const delimiter = extname(unpackedName(path)).toLowerCase() === '.tsv' ? '\t' : ','
  const parser = parse({
    bom: true,
    delimiter,
    max_record_size: LONGEST_ROW_BYTES,
    skip_empty_lines: true,
  })
  // Errors of either side end the loop below.
  pipeline(Readable.from(whileRowsEnd(path, parser, delimiter), { highWaterMark: 1 }), parser, () => undefined)
  let column = -1
  let row = 0
  try {
    for await (const record of parser) {
      // Without options that change them, records are lists of texts.
      const values = record as string[]
      row += 1
      if (row > 1) yield values[column] ?? ''
      else {
        column = values.indexOf(field)
        if (column < 0) {
          const columns = values.slice(0, 20).join(', ').slice(0, 1000)
          throw new AppError('dataset-column-missing', { path, field, columns })
        }
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The parser is ahead of this loop, and an error drops what it had parsed; it counts the rows before the one that it could not read.
    const rowsBefore = typeof error.records === 'number' ? error.records : row
    throw new AppError('dataset-row-invalid', { path, row: rowsBefore + 1, reason: error.message }, { cause: error })
  } finally {
    parser.destroy()
  }
}
