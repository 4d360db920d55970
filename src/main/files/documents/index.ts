/**
 * Documents of a dataset, streamed. A dataset is a file or a folder of files (not of folders), taken in the order of their names:
 * - `.jsonl`, `.ndjson`, `.json`: one JSON object per line, the text in one of its fields; empty lines are skipped;
 * - anything else is plain text. Lines that hold nothing but `<|endoftext|>` separate its documents. A file without such a line is
 *   cut at blank lines, and paragraphs are joined until a document has at least 200 characters; a shorter rest is one of its own.
 * Documents of white space alone are skipped, so the index of a document is its place among the others.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { AppError } from '../../shared/errors'
import { readLines } from './lines'
import { readError } from './safetensors'

const SEPARATOR = '<|endoftext|>'
const SHORTEST_DOCUMENT = 200
const PREVIEW_CHARACTERS = 300
const LINE_EXTENSIONS = new Set(['.jsonl', '.ndjson', '.json'])
const TEXT_EXTENSIONS = new Set(['.txt', '.text', '.md', '.markdown', '.rst', ''])

export type DatasetFormat = 'text' | 'jsonl'
export type DocumentSource = { path: string; format: DatasetFormat; textField: string | null }
export type Document = { index: number; text: string }

const formatOf = (path: string): DatasetFormat => (LINE_EXTENSIONS.has(extname(path).toLowerCase()) ? 'jsonl' : 'text')

/** The files of a dataset in reading order. */
async function listFiles(path: string): Promise<{ path: string; bytes: number }[]> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return [{ path, bytes: found.size }]
    const entries = await readdir(path, { withFileTypes: true })
    const isText = (name: string) =>
      !name.startsWith('.') && (formatOf(name) === 'jsonl' || TEXT_EXTENSIONS.has(extname(name).toLowerCase()))
    const names = entries.filter((entry) => entry.isFile() && isText(entry.name)).map((entry) => entry.name)
    names.sort((a, b) => (a < b ? -1 : 1))
    const files = names.map((name) => join(path, name))
    return await Promise.all(files.map(async (file) => ({ path: file, bytes: (await stat(file)).size })))
  } catch (error) {
    throw readError(error, path)
  }
}

function textOfLine(line: string, field: string): string | null {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return null
    const text: unknown = Object.entries(parsed).find(([key]) => key === field)?.[1]
    return typeof text === 'string' ? text : null
  } catch {
    // A line that is no JSON is reported by the caller with its number.
    return null
  }
}

async function* readLineFile(path: string, field: string): AsyncGenerator<string> {
  for await (const { text: line, number } of readLines(path)) {
    if (line.trim() === '') continue
    const text = textOfLine(line, field)
    if (text === null) throw new AppError('dataset-line-invalid', { path, line: number, field })
    yield text
  }
}

async function hasSeparator(path: string): Promise<boolean> {
  for await (const { text } of readLines(path)) if (text.trim() === SEPARATOR) return true
  return false
}

async function* readSeparated(path: string): AsyncGenerator<string> {
  let lines: string[] = []
  for await (const { text } of readLines(path)) {
    if (text.trim() !== SEPARATOR) lines.push(text)
    else {
      yield lines.join('\n').trim()
      lines = []
    }
  }
  yield lines.join('\n').trim()
}

async function* readParagraphs(path: string): AsyncGenerator<string> {
  let lines: string[] = []
  let characters = 0
  for await (const { text } of readLines(path)) {
    if (text.trim() === '' && characters >= SHORTEST_DOCUMENT) {
      yield lines.join('\n').trim()
      lines = []
      characters = 0
    } else {
      lines.push(text)
      characters += text.length
    }
  }
  yield lines.join('\n').trim()
}

async function* readFileDocuments(path: string, field: string | null): AsyncGenerator<string> {
  if (formatOf(path) === 'jsonl') yield* readLineFile(path, field ?? 'text')
  else if (await hasSeparator(path)) yield* readSeparated(path)
  else yield* readParagraphs(path)
}

/**
 * Every document in order, one at a time.
 * @throws AppError file-missing, file-unreadable, dataset-binary, dataset-line-invalid
 */
export async function* readDocuments(source: Omit<DocumentSource, 'format'>): AsyncGenerator<Document> {
  let index = 0
  for (const { path } of await listFiles(source.path)) {
    for await (const text of readFileDocuments(path, source.textField)) {
      if (text.trim() !== '') yield { index: index++, text }
    }
  }
}

async function hashFiles(files: { path: string }[]): Promise<string> {
  const hash = createHash('sha256')
  for (const { path } of files) {
    // Names separate the files of a folder, so that moving text between them changes the hash.
    if (files.length > 1) hash.update(`${basename(path)}\0`)
    try {
      for await (const chunk of createReadStream(path)) if (chunk instanceof Uint8Array) hash.update(chunk)
    } catch (error) {
      throw readError(error, path)
    }
  }
  return hash.digest('hex')
}

/**
 * Reads a dataset through once: its size, its hash and how it begins.
 * @throws AppError dataset-empty, dataset-binary, dataset-line-invalid, file-missing, file-unreadable
 */
export async function inspectDataset({ path, textField }: { path: string; textField: string }) {
  const files = await listFiles(path)
  const format: DatasetFormat = files.some((file) => formatOf(file.path) === 'jsonl') ? 'jsonl' : 'text'
  let documents = 0
  let preview = ''
  for await (const { text } of readDocuments({ path, textField })) {
    if (documents === 0)
      preview = Array.from(text.slice(0, 2 * PREVIEW_CHARACTERS))
        .slice(0, PREVIEW_CHARACTERS)
        .join('')
    documents += 1
  }
  if (documents === 0) throw new AppError('dataset-empty', { path })
  return {
    format,
    textField: format === 'jsonl' ? textField : null,
    documents,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    sha256: await hashFiles(files),
    preview,
  }
}
