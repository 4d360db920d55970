/** What the steps of one download share: the way to the hub, the cache, what to report to, and one writer per file. */
import { mkdir, statfs } from 'node:fs/promises'
import type { Download } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { writeError } from '../files/atomic'
import type { HubAccess } from './http'
import { sizeText } from './sizes'

export type Work = {
  access: HubAccess
  signal: AbortSignal
  cacheFolder: string
  /** Why no request may be made, or null. */
  offlineReason(): string | null
  freeBytes(folder: string): Promise<number>
  writers: Writers
  /** Where the download stands, for the people who watch it. */
  tell(change: Partial<Pick<Download, 'state' | 'file' | 'totalBytes' | 'doneBytes'>>): void
}

/** Bytes that a folder's disk has free; the folder is made when missing. */
export async function freeBytesOf(folder: string): Promise<number> {
  try {
    await mkdir(folder, { recursive: true })
    const disk = await statfs(folder)
    return disk.bavail * disk.bsize
  } catch (error) {
    throw writeError(error, folder)
  }
}

/** @throws AppError `hub-no-space` */
export async function checkSpace(work: Work, source: string, bytes: number): Promise<void> {
  const free = await work.freeBytes(work.cacheFolder)
  if (bytes > free) throw new AppError('hub-no-space', { source, needed: sizeText(bytes), free: sizeText(free) })
}

/** Lets one at a time write a file: two downloads may want the same content. */
export class Writers {
  private readonly last = new Map<string, Promise<unknown>>()

  async alone<T>(path: string, write: () => Promise<T>): Promise<T> {
    const before = this.last.get(path) ?? Promise.resolve()
    const own = before.then(write, write)
    this.last.set(path, own)
    try {
      return await own
    } finally {
      if (this.last.get(path) === own) this.last.delete(path)
    }
  }
}
