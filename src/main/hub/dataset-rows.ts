/** Finds the Parquet files of a hosted dataset and writes chosen rows of them as JSONL. */
import type { DatasetRows } from '../../shared/contract/hub'
import { AppError } from '../../shared/errors'
import { writeFileAtomic } from '../files/atomic'
import { planRows, readTexts, type ParquetFile, type RowPart } from '../files/parquet'

/** Which rows a Parquet file belongs to, told from its name. */
export type RowsFile = { path: string; config: string; split: string }

const SPLITS: Record<string, string> = { val: 'validation', valid: 'validation', dev: 'validation', eval: 'validation' }
const known = (split: string): string => SPLITS[split] ?? split

/** `{config}/{split}/0000.parquet`, as the hub's own conversion lays them out; its `partial-` splits hold the first rows. */
function convertedFile(path: string): RowsFile | null {
  const [config, split, file, ...more] = path.split('/')
  if (config === undefined || split === undefined || file === undefined || more.length > 0) return null
  return { path, config, split: split.replace(/^partial-/, '') }
}

/**
 * Files that the owner uploaded: the split is in the file's name (`train-00000-of-00002.parquet`) or names its folder, and the
 * folders above, without `data`, are the configuration.
 */
function uploadedFile(path: string): RowsFile {
  const folders = path.split('/').filter((part) => part !== 'data')
  const stem = (folders.pop() ?? '').replace(/\.parquet$/, '')
  const isSplit = (word: string) => /^(?:train|test|validation|val|valid|dev|eval)$/.test(word)
  const word = /^[A-Za-z_]+/.exec(stem)?.[0].replace(/_+$/, '') ?? ''
  const folder = folders.at(-1)
  if (!isSplit(word) && folder !== undefined && isSplit(folder)) {
    return { path, config: folders.slice(0, -1).join('/') || 'default', split: known(folder) }
  }
  const isPart = /-\d+-of-\d+/.test(stem)
  const split = isSplit(word) ? known(word) : isPart ? stem.replace(/-\d+-of-\d+.*$/, '') : 'train'
  return { path, config: folders.join('/') || 'default', split }
}

/** The Parquet files among the files of a revision, in the order of their rows. */
export function rowsFiles(paths: readonly string[], isConverted: boolean): RowsFile[] {
  const parquet = paths.filter((path) => path.endsWith('.parquet')).sort()
  return isConverted ? parquet.flatMap((path) => convertedFile(path) ?? []) : parquet.map(uploadedFile)
}

/**
 * The files of one configuration and split. A dataset with one configuration needs no name for it.
 * @throws AppError `hub-rows-missing`
 */
export function chooseRowsFiles(files: readonly RowsFile[], rows: DatasetRows, source: string): RowsFile[] {
  const configs = [...new Set(files.map(({ config }) => config))]
  const config = rows.config === 'default' && configs.length === 1 ? configs[0] : rows.config
  const chosen = files.filter((file) => file.config === config && file.split === rows.split)
  if (chosen.length > 0) return chosen
  const there = [...new Set(files.map((file) => `${file.config}/${file.split}`))]
  throw rowsMissing(rows, source, there.slice(0, 20).join(', ') || '-')
}

/** Whether the numbers in the names of one split's files have no gap, so that rows can be counted through them. */
export function isGapless(files: readonly RowsFile[]): boolean {
  return files.every(({ path }, at) => {
    const [, number, count] = /(\d+)(?:-of-(\d+))?[^/]*\.parquet$/.exec(path) ?? []
    return (number === undefined || Number(number) === at) && (count === undefined || Number(count) === files.length)
  })
}

const rowsMissing = ({ config, split }: DatasetRows, source: string, there: string) =>
  new AppError('hub-rows-missing', { source, config, split, known: there })

/**
 * Which parts of which files hold the wanted rows; reads footers only, and no more of them than needed.
 * @throws AppError `hub-rows-missing` when the rows begin behind the last one, `dataset-column-missing`, `dataset-row-invalid`
 */
export async function planFiles(
  files: readonly { open: () => ParquetFile }[],
  rows: DatasetRows,
  source: string,
): Promise<RowPart[]> {
  const parts: RowPart[] = []
  let before = 0
  const end = rows.firstRow + rows.rows
  for (const { open } of files) {
    if (before >= end) break
    const found = await planRows(open(), rows.textField, [Math.max(0, rows.firstRow - before), end - before])
    parts.push(...found.parts)
    before += found.rows
  }
  const there = `${rows.config}/${rows.split} (${before.toLocaleString('en-US')})`
  if (parts.length === 0) throw rowsMissing(rows, source, there)
  return parts
}

const name = (text: string): string => text.replace(/[^A-Za-z0-9._-]+/g, '-')

/** File name of chosen rows. The commit is part of it, so that a dataset that was added keeps the content it was added with. */
export function rowsFileName(repo: { name: string; commit: string }, rows: DatasetRows): string {
  const { config, split, firstRow, textField } = rows
  const parts = [repo.name.replace('/', '--'), config, split, firstRow, rows.rows, repo.commit.slice(0, 8)]
  if (textField !== 'text') parts.push(textField)
  return `${parts.map((part) => name(String(part))).join('-')}.jsonl`
}

const LINES_AT_ONCE = 1000

/**
 * Writes the texts as `{"text": …}` lines, complete or not at all.
 * @returns how many rows were read
 * @throws AppError `disk-full`, `workspace-unwritable`, and what reading throws
 */
export async function writeRows(path: string, parts: readonly RowPart[]): Promise<number> {
  async function* lines(): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      for await (const texts of readTexts(part)) {
        for (let at = 0; at < texts.length; at += LINES_AT_ONCE) {
          const some = texts.slice(at, at + LINES_AT_ONCE).map((text) => `${JSON.stringify({ text })}\n`)
          yield Buffer.from(some.join(''), 'utf8')
        }
      }
    }
  }
  await writeFileAtomic(path, lines())
  return parts.reduce((sum, { first, end }) => sum + end - first, 0)
}
