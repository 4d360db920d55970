/** The downloads of this process: starts and stops them, and tells those who watch where each stands. */
import type { DownloadRequest } from '../../shared/contract/hub'
import type { Download } from '../../shared/domain'
import { AppError, toFailure } from '../../shared/errors'
import { filled } from './cache'
import { downloadRows } from './dataset-download'
import { downloadModel } from './model-download'
import { parseSource, sourceText, type RepoSource } from './source'
import { Speed } from './speed'
import type { Work } from './work'

const TELL_EVERY_MS = 100
const MAX_ENDED = 100

/** What has arrived, on its way into the library. `source` names the commit, and the rows of a dataset. */
export type Arrived = { path: string; name: string; source: string }

/** Puts what has arrived into the library and says what it became. */
export type Finish = {
  model(arrived: Arrived, signal: AbortSignal): Promise<number>
  dataset(arrived: Arrived, signal: AbortSignal): Promise<number>
}

export type DownloadsOptions = Omit<Work, 'signal' | 'tell'> & {
  /** Folder for the rows of datasets. */
  corpora: string
  /** Called with a failure that no one expected. */
  onUnexpected(error: unknown): void
}

type Entry = { download: Download; key: string; stop: AbortController; ended: Promise<void>; speed: Speed }

export const hasEnded = ({ state }: Download): boolean => ['done', 'failed', 'cancelled'].includes(state)

export class Downloads {
  private readonly entries = new Map<number, Entry>()
  private readonly listeners = new Set<() => void>()
  private nextId = 1
  private later: NodeJS.Timeout | null = null
  private isClosed = false

  constructor(private readonly options: DownloadsOptions) {}

  get isBusy(): boolean {
    return [...this.entries.values()].some(({ download }) => !hasEnded(download))
  }

  /** Newest first. */
  list(): Download[] {
    return [...this.entries.values()].map(({ download }) => ({ ...download })).reverse()
  }

  /**
   * Starts a download, or returns the one of the same thing that runs.
   * @throws AppError `hub-source-invalid`, `cancelled` while the process ends
   */
  start(request: DownloadRequest, finish: Finish): Download {
    const source = parseSource(request.source)
    if (this.isClosed) throw new AppError('cancelled')
    const rows = request.kind === 'dataset' ? request.rows : null
    const key = JSON.stringify([request.kind, sourceText(source), rows])
    const entries = [...this.entries.values()]
    const running = entries.find(
      (entry) => entry.key === key && !hasEnded(entry.download) && !entry.stop.signal.aborted,
    )
    if (running) return { ...running.download }
    const download: Download = {
      ...{
        id: this.nextId++,
        kind: request.kind,
        source: sourceText(source),
        state: 'listing',
        file: null,
        doneBytes: 0,
      },
      ...{ totalBytes: null, bytesPerSecond: null, failure: null, modelId: null, datasetId: null },
    }
    const entry: Entry = { download, key, stop: new AbortController(), ended: Promise.resolve(), speed: new Speed() }
    this.entries.set(download.id, entry)
    entry.ended = this.run(entry, { request, source, finish })
    this.dropOld()
    this.notify()
    return { ...download }
  }

  /**
   * Stops a download and waits until it has; what has arrived stays.
   * @throws AppError `not-found`
   */
  async cancel(id: number): Promise<void> {
    const { stop, ended } = this.get(id)
    stop.abort()
    await ended
  }

  /**
   * Takes a download off the list; one that runs is stopped first.
   * @throws AppError `not-found`
   */
  async dismiss(id: number): Promise<void> {
    await this.cancel(id)
    this.entries.delete(id)
    this.notify()
  }

  /** The list at once and after every change, several changes as one, until the signal fires. */
  async *watch(signal: AbortSignal): AsyncGenerator<Download[]> {
    let isNew = true
    let wake: () => void = () => undefined
    const onChange = () => {
      isNew = true
      wake()
    }
    const onAbort = () => wake()
    this.listeners.add(onChange)
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        if (isNew) {
          isNew = false
          yield this.list()
          continue
        }
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.listeners.delete(onChange)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Stops all and waits until their files are closed. */
  async close(): Promise<void> {
    this.isClosed = true
    for (const { stop } of this.entries.values()) stop.abort()
    await Promise.all([...this.entries.values()].map(({ ended }) => ended))
  }

  private async run(
    entry: Entry,
    asked: { request: DownloadRequest; source: RepoSource; finish: Finish },
  ): Promise<void> {
    const { download, stop } = entry
    try {
      const became = await this.bring(entry, asked)
      Object.assign(download, { state: 'done', ...became })
    } catch (error) {
      const isCancelled = stop.signal.aborted
      if (!isCancelled && !(error instanceof AppError)) this.options.onUnexpected(error)
      Object.assign(download, isCancelled ? { state: 'cancelled' } : { state: 'failed', failure: toFailure(error) })
    }
    Object.assign(download, { file: null, bytesPerSecond: null })
    this.notify()
  }

  private async bring(
    entry: Entry,
    { request, source, finish }: { request: DownloadRequest; source: RepoSource; finish: Finish },
  ): Promise<Partial<Download>> {
    const { signal } = entry.stop
    const work: Work = { ...this.options, signal, tell: (change) => this.tell(entry, change) }
    const { name } = request
    if (request.kind === 'model') {
      const { path, commit } = await downloadModel(work, source)
      this.tell(entry, { state: 'checking' })
      const arrived = { path, name: nameOf(name, source), source: `hub:${source.name}@${commit}` }
      return { modelId: await finish.model(arrived, signal) }
    }
    const { rows } = request
    const found = await downloadRows(work, source, { rows, folder: this.options.corpora })
    this.tell(entry, { state: 'checking' })
    const which = `${found.config}/${found.split} rows ${found.firstRow}..${found.endRow}`
    const arrived = {
      path: found.path,
      name: nameOf(name, source),
      source: `hub:${source.name}@${found.commit} ${which}`,
    }
    return { datasetId: await finish.dataset(arrived, signal) }
  }

  private tell(entry: Entry, change: Parameters<Work['tell']>[0]): void {
    const { download, speed } = entry
    Object.assign(download, change)
    download.bytesPerSecond =
      download.state === 'downloading' ? speed.note(performance.now(), download.doneBytes) : null
    if (change.state !== undefined || change.file !== undefined) this.notify()
    // The last of many changes is told too, though a little later.
    else this.later ??= setTimeout(() => this.notify(), TELL_EVERY_MS)
  }

  private notify(): void {
    if (this.later) clearTimeout(this.later)
    this.later = null
    for (const listener of [...this.listeners]) listener()
  }

  private get(id: number): Entry {
    const entry = this.entries.get(id)
    if (!entry) throw new AppError('not-found', { what: 'download', id })
    return entry
  }

  private dropOld(): void {
    const ended = [...this.entries.values()].filter(({ download }) => hasEnded(download))
    for (const { download } of ended.slice(0, -MAX_ENDED)) this.entries.delete(download.id)
  }
}

/** The name that was given, else the last part of the repository's. */
const nameOf = (given: string | undefined, { name }: RepoSource): string =>
  filled(given) ?? name.split('/').at(-1) ?? name
