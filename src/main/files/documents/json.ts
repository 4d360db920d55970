/**
 * Documents of a `.json` file, in the forms that people's programs write: JSON Lines under that name, a list of texts or of objects, and
 * what pandas and json.dump make of a table: columns of lists, columns of numbered cells, and lists below `data`.
 */
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { readLines } from '../lines'
import { readPlain } from '../plain-stream'
import { readJsonl } from './jsonl'

/** JSON has to be read whole before it means anything. */
const LARGEST_BYTES = 512 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024

/** Whether the first line is an object of its own and another line with something on it follows: JSON Lines. */
async function isLines(path: string): Promise<boolean> {
  let first: string | null = null
  for await (const { text } of readLines(path)) {
    if (text.trim() === '') continue
    if (first !== null) return true
    if (!isObject(text)) return false
    first = text
  }
  return false
}

function isObject(line: string): boolean {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

async function readWhole(path: string): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of readPlain(path, CHUNK_BYTES)) {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes > LARGEST_BYTES) {
      const reason = `it is larger than ${LARGEST_BYTES / 2 ** 20} MiB; write one object a line and call it .jsonl`
      throw new AppError('file-corrupt', { path, format: 'JSON', reason })
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch (error) {
    throw new AppError('file-corrupt', { path, format: 'JSON', reason: 'it is not UTF-8' }, { cause: error })
  }
}

const Table = z.record(z.string(), z.unknown())

/** The cells of the wanted column of a parsed table, whatever way round it lies; null where there is no such column. */
function cellsOf(value: unknown, field: string): unknown[] | null {
  const list = z.array(z.unknown()).safeParse(value)
  if (list.success) return cellsOfRows(list.data, field)
  const table = Table.safeParse(value)
  if (!table.success) return null
  const column = table.data[field]
  if (typeof column === 'string') return [column]
  const cells = z.array(z.unknown()).safeParse(column)
  if (cells.success) return cells.data
  const numbered = Table.safeParse(column)
  if (numbered.success) return Object.values(numbered.data)
  return table.data.data === undefined ? null : cellsOf(table.data.data, field)
}

/** Of a list of texts these themselves, of a list of objects the field of each. */
function cellsOfRows(rows: unknown[], field: string): unknown[] | null {
  const tables = rows.map((row) => Table.safeParse(row).data)
  if (tables.every((row) => row === undefined)) return rows
  const cells = tables.map((row) => row?.[field])
  return cells.some((cell) => cell !== undefined) ? cells : null
}

/** @throws AppError file-missing, file-unreadable, file-corrupt, dataset-column-missing; as readJsonl for JSON Lines */
export async function* readJson(path: string, field: string): AsyncGenerator<string> {
  if (await isLines(path)) {
    yield* readJsonl(path, field)
    return
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(await readWhole(path))
  } catch (error) {
    if (error instanceof AppError) throw error
    const reason = error instanceof Error ? error.message : 'it cannot be parsed'
    throw new AppError('file-corrupt', { path, format: 'JSON', reason }, { cause: error })
  }
  const cells = cellsOf(parsed, field)
  if (cells === null) {
    const columns = typeof parsed === 'object' && parsed !== null ? Object.keys(parsed).slice(0, 20).join(', ') : ''
    throw new AppError('dataset-column-missing', { path, field, columns: columns.slice(0, 1000) })
  }
  for (const cell of cells) if (typeof cell === 'string') yield cell
}
