/** Brings rows of a hosted Parquet dataset into a JSONL file, by the parts of the files that hold them. */
import { join } from 'node:path'
import type { DatasetRows } from '../../shared/contract/hub'
import { AppError } from '../../shared/errors'
import { RepoCache } from './cache'
import {
  chooseRowsFiles,
  isGapless,
  planFiles,
  rowsFileName,
  rowsFiles,
  writeRows,
  type RowsFile,
} from './dataset-rows'
import { findCommit, listRepo, resolveUrl } from './listing'
import { localParquet, type ParquetFile } from '../files/parquet'
import { hostedParquet } from './hosted-parquet'
import { sourceText, type RepoSource } from './source'
import type { Work } from './work'

/** The revision where the hub keeps its own Parquet copy of a dataset. */
const CONVERTED = 'refs/convert/parquet'

export type WrittenRows = {
  path: string
  commit: string
  config: string
  split: string
  firstRow: number
  endRow: number
}

/** Files of one revision, and how each is read. */
type Revision = { commit: string; files: RowsFile[]; open(path: string, onBytes: (bytes: number) => void): ParquetFile }

/**
 * Writes the rows into `folder`.
 * @throws AppError `hub-offline`, `hub-not-found`, `hub-denied`, `hub-unreachable`, `hub-rows-missing`,
 *   `dataset-column-missing`, `dataset-row-invalid`, `disk-full`, `workspace-unwritable`, `cancelled`
 */
export async function downloadRows(
  work: Work,
  source: RepoSource,
  { rows, folder }: { rows: DatasetRows; folder: string },
): Promise<WrittenRows> {
  const text = sourceText(source)
  const revision = await findRevision(work, source)
  const chosen = chooseRowsFiles(revision.files, rows, text)
  const reason = work.offlineReason()
  if (reason !== null && !isGapless(chosen)) throw new AppError('hub-offline', { reason, source: text })
  let fetched = 0
  let total: number | null = null
  const onBytes = (bytes: number) => {
    fetched += bytes
    work.tell({ doneBytes: Math.min(fetched, total ?? fetched) })
  }
  const parts = await planFiles(
    chosen.map(({ path }) => ({ open: () => revision.open(path, onBytes) })),
    rows,
    text,
  )
  total = fetched + parts.reduce((sum, { bytes }) => sum + bytes, 0)
  work.tell({ state: 'downloading', totalBytes: total, doneBytes: fetched, file: chosen[0]?.path ?? null })
  const path = join(folder, rowsFileName({ name: source.name, commit: revision.commit }, rows))
  const count = await writeRows(path, parts)
  // Only the pages that hold the rows were read, so less than the column may have arrived.
  work.tell({ doneBytes: total, file: null })
  const { config = rows.config, split = rows.split } = chosen[0] ?? {}
  return { path, commit: revision.commit, config, split, firstRow: rows.firstRow, endRow: rows.firstRow + count }
}

async function findRevision(work: Work, source: RepoSource): Promise<Revision> {
  const reason = work.offlineReason()
  if (reason !== null) return cachedRevision(work, source, reason)
  // A revision that was named is read as it is.
  if (source.revision !== null) return hostedRevision(work, source, false)
  try {
    return await hostedRevision(work, { ...source, revision: CONVERTED }, true)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'hub-not-found') throw error
    return hostedRevision(work, source, false)
  }
}

async function hostedRevision(work: Work, source: RepoSource, isConverted: boolean): Promise<Revision> {
  const commit = await findCommit(work, 'dataset', source)
  const repo = { kind: 'dataset' as const, name: source.name, commit }
  const listed = await listRepo(work, { ...repo, recursive: true })
  const sizes = new Map(listed.map(({ path, bytes }) => [path, bytes]))
  const asking = { access: work.access, signal: work.signal, source: source.name }
  return {
    commit,
    files: rowsFiles([...sizes.keys()], isConverted),
    open: (path, onBytes) => {
      const file = { path, url: resolveUrl(work.access.url, repo, path), bytes: sizes.get(path) ?? 0 }
      return hostedParquet(asking, file, onBytes)
    },
  }
}

/** Parquet files that another program has brought into the cache whole. */
async function cachedRevision(work: Work, source: RepoSource, reason: string): Promise<Revision> {
  const cache = new RepoCache(work.cacheFolder, 'dataset', source.name)
  for (const revision of source.revision === null ? [CONVERTED, 'main'] : [source.revision]) {
    const commit = await cache.readRef(revision)
    if (commit === null) continue
    const found = await cache.snapshotFiles(commit)
    const sizes = new Map(found.map(({ path, bytes }) => [path, bytes]))
    const files = rowsFiles([...sizes.keys()], revision === CONVERTED)
    if (files.length === 0) continue
    return {
      commit,
      files,
      open: (path) => localParquet(join(cache.snapshot(commit), path), sizes.get(path) ?? 0),
    }
  }
  throw new AppError('hub-offline', { reason, source: sourceText(source) })
}
