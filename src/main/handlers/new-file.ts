/** Writes a file under a name that is free: what is there is never overwritten, a number is added instead. */
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeError, writeFileAtomic } from '../files/atomic'

const MAX_NAME = 80
const isTaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EEXIST'

/** A name that every file system takes. */
const fileName = (name: string): string =>
  name
    .normalize('NFC')
    // eslint-disable-next-line no-control-regex -- control characters are just what must go
    .replace(/[\u0000-\u001f<>:"/\\|?*]+/g, ' ')
    .trim()
    .replace(/[\s.]+/g, '-')
    .slice(0, MAX_NAME) || 'catalog'

/** Takes a free name by making an empty file of it. */
async function takeName(folder: string, name: string, extension: string): Promise<string> {
  for (let n = 1; ; n++) {
    const path = join(folder, `${fileName(name)}${n === 1 ? '' : `-${n}`}.${extension}`)
    try {
      await (await open(path, 'wx')).close()
      return path
    } catch (error) {
      if (!isTaken(error)) throw writeError(error, path)
    }
  }
}

/**
 * Writes pieces of text as one file, complete or not at all.
 * @throws AppError `disk-full`, `workspace-unwritable`, and what the pieces throw
 */
export async function writeNewFile(
  { folder, name, extension }: { folder: string; name: string; extension: string },
  pieces: Iterable<string>,
): Promise<{ path: string; bytes: number }> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw writeError(error, folder)
  }
  const path = await takeName(folder, name, extension)
  let bytes = 0
  function* encoded(): Generator<Uint8Array> {
    for (const piece of pieces) {
      const part = Buffer.from(piece, 'utf8')
      bytes += part.length
      yield part
    }
  }
  try {
    await writeFileAtomic(path, encoded())
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return { path, bytes }
}
