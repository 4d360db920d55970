/** Brings one file into the cache: continues what an earlier try left, tries again when the line breaks, checks the content. */
import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../../shared/errors'
import { writeError } from '../files/atomic'
import { bodyPieces, drop, refusal, request, retrying, Transient, type HubAccess } from './http'
import type { RepoFile } from './listing'

const STALL_MS = 60_000
const PIECE_BYTES = 1024 ** 2

export type Transfer = {
  access: HubAccess
  signal: AbortSignal
  /** Repository, for what is said. */
  source: string
  url: string
  file: RepoFile
  /** Where the checked file goes, and where its beginning lies until then; both in one folder. */
  blob: string
  partial: string
  /** Bytes of this file that are there; may fall back when a server cannot continue. */
  onBytes(bytes: number): void
  /** A server that sends nothing for so long is left. */
  stallMs?: number
}

/** The open partial file: how far it reaches and the hash of what is in it. */
class Partial {
  bytes = 0
  private hash: Hash

  private constructor(
    private readonly handle: FileHandle,
    private readonly file: RepoFile,
  ) {
    this.hash = this.newHash()
  }

  /** Opens or makes the file and hashes what it holds; one that is too long cannot be a beginning and is emptied. */
  static async open({ partial: path, file, signal }: Transfer): Promise<Partial> {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(path, 'r+').catch(() => open(path, 'w+'))
    const partial = new Partial(handle, file)
    try {
      if ((await handle.stat()).size > file.bytes) await handle.truncate(0)
      const piece = new Uint8Array(PIECE_BYTES)
      for (let read = PIECE_BYTES; read > 0; partial.bytes += read) {
        if (signal.aborted) throw new AppError('cancelled')
        read = (await handle.read(piece, 0, PIECE_BYTES, partial.bytes)).bytesRead
        partial.hash.update(piece.subarray(0, read))
      }
    } catch (error) {
      await handle.close()
      throw error
    }
    return partial
  }

  async append(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      at += (await this.handle.write(piece, at, piece.length - at, this.bytes + at)).bytesWritten
    }
    this.hash.update(piece)
    this.bytes += piece.length
  }

  async empty(): Promise<void> {
    await this.handle.truncate(0)
    this.bytes = 0
    this.hash = this.newHash()
  }

  isWhole(): boolean {
    return this.bytes === this.file.bytes
  }

  digest(): string {
    return this.hash.digest('hex')
  }

  async close(): Promise<void> {
    try {
      await this.handle.sync()
    } finally {
      await this.handle.close()
    }
  }

  /** Git hashes a small header before the content. */
  private newHash(): Hash {
    const { hash, bytes } = this.file
    return hash.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`)
  }
}

/**
 * Downloads one file unless it is there. What has arrived stays for the next try, but content with another hash is thrown away.
 * @throws AppError `hub-checksum`, `hub-not-found`, `hub-denied`, `hub-unreachable`, `disk-full`, `workspace-unwritable`,
 *   `cancelled`
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const { access, signal, source, file, blob, partial: path } = transfer
  try {
    const partial = await Partial.open(transfer)
    let isRight: boolean
    try {
      transfer.onBytes(partial.bytes)
      const line: Line = { etag: null }
      await retrying(
        { access, signal },
        () => attempt(transfer, partial, line),
        () => partial.bytes,
      )
      isRight = partial.isWhole() && partial.digest() === file.hash.hex
    } finally {
      await partial.close()
    }
    if (!isRight) {
      await rm(path, { force: true })
      throw new AppError('hub-checksum', { file: file.path, source })
    }
    await rename(path, blob)
  } catch (error) {
    throw writeError(error, blob)
  }
}

/** The server's name for the content of the last answer, so that a change between two tries is noticed at once. */
type Line = { etag: string | null }

async function attempt(transfer: Transfer, partial: Partial, line: Line): Promise<void> {
  if (partial.isWhole()) return
  const stall = new AbortController()
  const signal = AbortSignal.any([transfer.signal, stall.signal])
  const timer = setTimeout(() => stall.abort(), transfer.stallMs ?? STALL_MS)
  try {
    const response = await request(transfer.access, transfer.url, { headers: headersOf(partial, line), signal })
    await meet(transfer, partial, response)
    line.etag = strongEtag(response.headers)
    for await (const piece of bodyPieces(response)) {
      timer.refresh()
      // More than announced is dropped; the hash decides whether the beginning is what was announced.
      await partial.append(piece.subarray(0, transfer.file.bytes - partial.bytes))
      transfer.onBytes(partial.bytes)
      if (partial.isWhole()) return
    }
    if (!partial.isWhole()) throw new Transient('the connection ended early')
  } finally {
    clearTimeout(timer)
  }
}

/** Makes the file fit an answer: kept when the answer continues it, emptied when the answer is the whole file. */
async function meet(transfer: Transfer, partial: Partial, response: Response): Promise<void> {
  const { file, source } = transfer
  const { status, headers } = response
  if (status === 206 && continues(headers, partial.bytes, file.bytes)) return
  if (status === 200) return partial.bytes > 0 ? restart(transfer, partial) : undefined
  if (status !== 206 && status !== 416) throw refusal(response, { what: 'file', source, path: file.path })
  // The server's file has another length, so what lies here is no beginning of it.
  await drop(response)
  await restart(transfer, partial)
  throw new Transient(status === 416 ? 'status 416' : 'the server sent another part than asked for')
}

function headersOf(partial: Partial, { etag }: Line): Record<string, string> {
  // A packed body would have other byte positions than the file.
  const plain = { 'accept-encoding': 'identity' }
  if (partial.bytes === 0) return plain
  return { ...plain, range: `bytes=${partial.bytes}-`, ...(etag === null ? {} : { 'if-range': etag }) }
}

async function restart(transfer: Transfer, partial: Partial): Promise<void> {
  await partial.empty()
  transfer.onBytes(0)
}

/** A weak tag may stand for other bytes and cannot be used to continue. */
function strongEtag(headers: Headers): string | null {
  const etag = headers.get('etag')
  return etag?.startsWith('"') ? etag : null
}

/** Whether a partial answer begins where our bytes end and belongs to a file of the announced size. */
function continues(headers: Headers, from: number, bytes: number): boolean {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
  return Number(first) === from && (total === '*' || Number(total) === bytes)
}
