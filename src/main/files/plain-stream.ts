/** The bytes of a text file, unpacked on the way where its name says that it is compressed (.gz, .zst). */
import { createReadStream } from 'node:fs'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { AppError } from '../../shared/errors'
import { readError } from './safetensors'

const PACKINGS: Readonly<Partial<Record<string, () => Transform>>> = {
  '.gz': () => createGunzip(),
  '.zst': () => createZstdDecompress(),
}

const endOf = (path: string) => /\.(gz|zst)$/i.exec(path)?.[0].toLowerCase()

/** The name of a file without the ending of its packing: `a.jsonl` of `a.jsonl.gz`. */
export const unpackedName = (path: string): string => path.slice(0, path.length - (endOf(path)?.length ?? 0))

/**
 * Pieces of the file as they are unpacked; what is held at once does not grow with the file, however much it unpacks to.
 * @throws AppError file-missing, file-unreadable, file-corrupt when the packing is damaged or cut off
 */
export async function* readPlain(path: string, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: chunkBytes })
  const unpack = PACKINGS[endOf(path) ?? '']?.()
  // Errors of either side end the loop below.
  const stream: Readable = unpack ? pipeline(file, unpack, () => undefined) : file
  try {
    for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk
  } catch (error) {
    if (error instanceof AppError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!/^(Z_|ZSTD_|ERR_)/.test(code)) throw readError(error, path)
    const format = endOf(path)?.slice(1) ?? 'text'
    const reason = error instanceof Error ? error.message : code
    throw new AppError('file-corrupt', { path, format, reason }, { cause: error })
  } finally {
    file.destroy()
  }
}
