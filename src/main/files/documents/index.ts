/**
 * Documents of a dataset, streamed: a file of text, JSONL, CSV or Parquet, or a folder of such files. Documents of white space alone are
 * skipped, and on request those whose text came before; the index of a document is its place among the others.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { extname, relative } from 'node:path'
import type { DatasetFormat } from '../../../shared/domain'
import { AppError } from '../../../shared/errors'
import { unpackedName } from '../plain-stream'
import { readError } from '../safetensors'
import { readCsv } from './csv'
import { listFiles, type DatasetFile } from './files'
import { readJson } from './json'
import { readJsonl } from './jsonl'
import { readParquet } from './parquet'
import { SeenTexts } from './seen'
import { readText } from './text'

const PREVIEW_CHARACTERS = 300

export type DocumentSource = {
  path: string
  /** Field or column that holds the text; `text` unless named. */
  textField: string | null
  /** Leaves out documents whose text came before. */
  deduplicate?: boolean
}
export type Document = { index: number; text: string }

function readFileDocuments(
  { path, bytes, format }: DatasetFile,
  field: string,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  switch (format) {
    case 'text':
      return readText(path, signal)
    case 'jsonl':
      return extname(unpackedName(path)).toLowerCase() === '.json' ? readJson(path, field) : readJsonl(path, field)
    case 'csv':
      return readCsv(path, field)
    case 'parquet':
      return readParquet({ path, bytes }, field)
  }
}

/** Texts of all files that are not empty, with whether they are left out as repeated. */
async function* readAll(
  files: readonly DatasetFile[],
  { textField, deduplicate = false }: Omit<DocumentSource, 'path'>,
  signal?: AbortSignal,
): AsyncGenerator<{ text: string; isRepeated: boolean }> {
  const seen = deduplicate ? new SeenTexts() : null
  for (const file of files) {
    for await (const text of readFileDocuments(file, textField ?? 'text', signal)) {
      if (signal?.aborted) throw new AppError('cancelled')
      if (text.trim() !== '') yield { text, isRepeated: seen?.add(text) ?? false }
    }
  }
}

/**
 * Every document in order, one at a time.
 * @throws AppError file-missing, file-unreadable, dataset-binary, dataset-line-invalid, dataset-column-missing, dataset-row-invalid,
 *   dataset-files-missing, dataset-files-many, cancelled
 */
export async function* readDocuments(source: DocumentSource, signal?: AbortSignal): AsyncGenerator<Document> {
  let index = 0
  for await (const { text, isRepeated } of readAll(await listFiles(source.path), source, signal)) {
    if (!isRepeated) yield { index: index++, text }
  }
}

/** sha256 of the files; their paths below the dataset's folder separate them, so that moving text between them changes it. */
async function hashFiles(root: string, files: readonly DatasetFile[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (const { path } of files) {
    if (files.length > 1) hash.update(`${relative(root, path).replaceAll('\\', '/')}\0`)
    try {
      for await (const chunk of createReadStream(path)) {
        if (signal?.aborted) throw new AppError('cancelled')
        if (chunk instanceof Uint8Array) hash.update(chunk)
      }
    } catch (error) {
      throw error instanceof AppError ? error : readError(error, path)
    }
  }
  return hash.digest('hex')
}

/** The hash of a dataset as it is on disk now, as {@link inspectDataset} gives it. @throws AppError of its files */
export async function hashDataset(path: string, signal?: AbortSignal): Promise<string> {
  return hashFiles(path, await listFiles(path), signal)
}

/** The beginning of a text, whole characters only. */
export function beginningOf(text: string, characters: number): string {
  return Array.from(text.slice(0, 2 * characters))
    .slice(0, characters)
    .join('')
}

export type DatasetFacts = {
  format: DatasetFormat
  textField: string | null
  files: number
  documents: number
  deduplicate: boolean
  duplicates: number
  bytes: number
  sha256: string
  preview: string
}

/**
 * Reads a dataset through once: its size, its hash and how it begins.
 * @throws AppError dataset-empty, and as {@link readDocuments}
 */
export async function inspectDataset(
  { path, textField, deduplicate = false }: { path: string; textField: string; deduplicate?: boolean },
  signal?: AbortSignal,
): Promise<DatasetFacts> {
  const files = await listFiles(path)
  const formats = [...new Set(files.map(({ format }) => format))]
  let [documents, duplicates, preview] = [0, 0, '']
  for await (const { text, isRepeated } of readAll(files, { textField, deduplicate }, signal)) {
    if (documents === 0) preview = beginningOf(text, PREVIEW_CHARACTERS)
    if (isRepeated) duplicates += 1
    else documents += 1
  }
  if (documents === 0) throw new AppError('dataset-empty', { path })
  const [only = 'text'] = formats
  return {
    format: formats.length > 1 ? 'mixed' : only,
    textField: formats.some((format) => format !== 'text') ? textField : null,
    files: files.length,
    ...{ documents, deduplicate, duplicates },
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    sha256: await hashFiles(path, files, signal),
    preview,
  }
}
