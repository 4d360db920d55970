/** Brings a model into the cache, or finds it there when no request may be made. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../shared/errors'
import { RepoCache } from './cache'
import { findCommit, listRepo, resolveUrl, type RepoFile } from './listing'
import { chooseModelFiles, MAX_INDEX_BYTES, shardsOf, WEIGHT_INDEX } from './model-files'
import { sourceText, type RepoSource } from './source'
import { transferFile } from './transfer'
import { checkSpace, type Work } from './work'

export type Snapshot = { path: string; commit: string }

/**
 * Downloads what of a model is not in the cache yet.
 * @returns the folder of its snapshot
 * @throws AppError `hub-offline`, `hub-not-found`, `hub-denied`, `hub-unreachable`, `hub-files-missing`, `hub-no-space`,
 *   `hub-checksum`, `disk-full`, `workspace-unwritable`, `cancelled`
 */
export async function downloadModel(work: Work, source: RepoSource): Promise<Snapshot> {
  const cache = new RepoCache(work.cacheFolder, 'model', source.name)
  const reason = work.offlineReason()
  if (reason !== null) return cachedModel(cache, source, reason)
  const commit = await findCommit(work, 'model', source)
  const listed = await listRepo(work, { kind: 'model', name: source.name, commit, recursive: false })
  const download = new ModelDownload(work, { cache, source, commit }, listed)
  await download.run()
  return { path: cache.snapshot(commit), commit }
}

class ModelDownload {
  private readonly files: Map<string, RepoFile>
  /** Bytes that are there, by file. */
  private readonly arrived = new Map<string, number>()

  constructor(
    private readonly work: Work,
    private readonly target: { cache: RepoCache; source: RepoSource; commit: string },
    listed: readonly RepoFile[],
  ) {
    this.files = new Map(listed.map((file) => [file.path, file]))
  }

  async run(): Promise<void> {
    const { work } = this
    const { cache, source, commit } = this.target
    const text = sourceText(source)
    const names = [...this.files.keys()]
    const { files, isSharded } = chooseModelFiles(names, text)
    const shards = isSharded ? shardsOf(await this.readIndex(text), names, text) : []
    const wanted = [...files, ...shards].map((name) => this.file(name))
    for (const { path, bytes, hash } of wanted) this.arrived.set(path, await cache.arrivedBytes(hash.hex, bytes))
    const totalBytes = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
    await checkSpace(work, text, totalBytes - this.doneBytes)
    work.tell({ state: 'downloading', totalBytes, doneBytes: this.doneBytes })
    for (const file of wanted) await this.bring(file)
    await cache.writeRef(source.revision ?? 'main', commit)
    work.tell({ file: null })
  }

  private get doneBytes(): number {
    return [...this.arrived.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  private file(name: string): RepoFile {
    const file = this.files.get(name)
    if (!file) throw new AppError('hub-files-missing', { source: sourceText(this.target.source), files: name })
    return file
  }

  /** The index says which shards there are, so it is needed before anything can be counted. */
  private async readIndex(source: string): Promise<Uint8Array> {
    const { cache, commit } = this.target
    const index = this.file(WEIGHT_INDEX)
    if (index.bytes > MAX_INDEX_BYTES) throw new AppError('hub-files-missing', { source, files: WEIGHT_INDEX })
    await this.bring(index)
    return readFile(join(cache.snapshot(commit), WEIGHT_INDEX))
  }

  private async bring(file: RepoFile): Promise<void> {
    const { access, signal, writers, tell } = this.work
    const { cache, source, commit } = this.target
    const blob = cache.blob(file.hash.hex)
    tell({ file: file.path })
    await writers.alone(blob, async () => {
      if (!(await cache.hasBlob(file.hash.hex, file.bytes))) {
        await transferFile({
          ...{ access, signal, source: sourceText(source), file, blob, partial: cache.partial(file.hash.hex) },
          url: resolveUrl(access.url, { kind: 'model', name: source.name, commit }, file.path),
          onBytes: (bytes) => this.note(file, bytes),
        })
      }
      await cache.link(commit, file.path, file.hash.hex)
    })
    this.note(file, file.bytes)
  }

  private note(file: RepoFile, bytes: number): void {
    this.arrived.set(file.path, bytes)
    this.work.tell({ doneBytes: this.doneBytes })
  }
}

/** A complete snapshot of the revision, found without asking anyone. */
async function cachedModel(cache: RepoCache, source: RepoSource, reason: string): Promise<Snapshot> {
  const offline = new AppError('hub-offline', { reason, source: sourceText(source) })
  const commit = await cache.readRef(source.revision ?? 'main')
  if (commit === null) throw offline
  const path = cache.snapshot(commit)
  const names = (await cache.snapshotFiles(commit)).map((file) => file.path)
  try {
    const { isSharded } = chooseModelFiles(names, sourceText(source))
    if (isSharded) shardsOf(await readFile(join(path, WEIGHT_INDEX)), names, sourceText(source))
  } catch {
    // Whatever is missing cannot be asked for now.
    throw offline
  }
  return { path, commit }
}
