/** The files of a dataset: which of a folder are texts, in which format, and in which order they are read. */
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { AppError } from '../../../shared/errors'
import type { DatasetFormat } from '../../../shared/domain'
import { unpackedName } from '../plain-stream'
import { readError } from '../safetensors'

export type FileFormat = Exclude<DatasetFormat, 'mixed'>
export type DatasetFile = { path: string; bytes: number; format: FileFormat }

/** Deeper folders are passed by: they are a mistake, or a loop of mounts. */
const MAX_DEPTH = 16
/** Every file costs some memory while the dataset is read. */
export const MAX_FILES = 100_000

const FORMATS = new Map<string, FileFormat>([
  ...['.jsonl', '.ndjson', '.json'].map((end) => [end, 'jsonl'] as const),
  ...['.csv', '.tsv'].map((end) => [end, 'csv'] as const),
  ['.parquet', 'parquet'],
  ...['.txt', '.text', '.md', '.markdown', '.rst', ''].map((end) => [end, 'text'] as const),
])

/** A file that the user names is read whatever it is called; as text, where its name says nothing else. */
const formatOf = (path: string): FileFormat => knownFormat(path) ?? 'text'

const knownFormat = (path: string): FileFormat | undefined => FORMATS.get(extname(unpackedName(path)).toLowerCase())

/**
 * What a published dataset has beside its data: its card, licence and descriptions. Beside rows of data they are left out; in a folder of
 * plain texts a README is one. Whole names only: `states.csv` and `license-plates.jsonl` are data.
 */
const ABOUT_DATA =
  /^((readme|license|licence|notice|citation)(\.(md|markdown|rst|txt|text))?|(dataset_infos?|dataset_dict|state)\.json)$/i

/** Files below a folder with a name of a known format. A link to a file is followed, one to a folder is not: it may be a loop. */
async function listFolder(folder: string, depth: number, found: DatasetFile[], most: number): Promise<void> {
  if (depth > MAX_DEPTH) return
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) await listFolder(path, depth + 1, found, most)
    else if (knownFormat(entry.name) !== undefined) {
      const facts = await stat(path).catch(() => null)
      if (!facts?.isFile()) continue
      found.push({ path, bytes: facts.size, format: formatOf(path) })
      if (found.length > most) throw new AppError('dataset-files-many', { path: folder, limit: most })
    }
  }
}

/**
 * The files of a dataset in reading order: the one that is named, or all of a folder and the folders in it, by their whole paths.
 * @throws AppError file-missing, file-unreadable, dataset-files-missing, dataset-files-many
 */
export async function listFiles(path: string, most = MAX_FILES): Promise<DatasetFile[]> {
  try {
    const facts = await stat(path)
    // A pipe or a device has no end, and opening one may wait for ever.
    if (!facts.isDirectory() && !facts.isFile()) throw new AppError('file-special', { path })
    if (!facts.isDirectory()) return [{ path, bytes: facts.size, format: formatOf(path) }]
    const found: DatasetFile[] = []
    await listFolder(path, 0, found, most)
    const data = found.filter((file) => !ABOUT_DATA.test(basename(file.path)))
    if (found.length === 0) throw new AppError('dataset-files-missing', { path })
    const hasRows = data.some(({ format }) => format !== 'text')
    return (hasRows ? data : found).sort((a, b) => (a.path < b.path ? -1 : 1))
  } catch (error) {
    throw error instanceof AppError ? error : readError(error, path)
  }
}
