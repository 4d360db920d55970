/** Writes a file under a name that is free: what is there is never overwritten, a number is added instead. */
import { randomBytes } from 'node:crypto'
import { constants, copyFile, link, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeError, writeFileAtomic } from '../files/atomic'

const MAX_NAME = 80
/** Whether the file system has no hard links, as exFAT and some network shares. */
const lacksLinks = (error: unknown) =>
  error instanceof Error && 'code' in error && ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(String(error.code))
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

/** Gives a written file the first name that is free: a link fails where the name is taken, so nothing is overwritten and no file is empty. */
async function takeName(written: string, { folder, name, extension }: Place): Promise<string> {
  for (let n = 1; ; n++) {
    const path = join(folder, `${fileName(name)}${n === 1 ? '' : `-${n}`}.${extension}`)
    try {
      await link(written, path).catch((error: unknown) => {
        if (!lacksLinks(error)) throw error
        return copyFile(written, path, constants.COPYFILE_EXCL)
      })
      return path
    } catch (error) {
      if (!isTaken(error)) throw writeError(error, path)
    }
  }
}

type Place = { folder: string; name: string; extension: string }

/**
 * Writes pieces of text as one file, complete or not at all.
 * @throws AppError `disk-full`, `workspace-unwritable`, and what the pieces throw
 */
export async function writeNewFile(place: Place, pieces: Iterable<string>): Promise<{ path: string; bytes: number }> {
  const { folder } = place
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw writeError(error, folder)
  }
  const written = join(folder, `.${randomBytes(6).toString('hex')}.part`)
  let bytes = 0
  function* encoded(): Generator<Uint8Array> {
    for (const piece of pieces) {
      const part = Buffer.from(piece, 'utf8')
      bytes += part.length
      yield part
    }
  }
  try {
    await writeFileAtomic(written, encoded())
    return { path: await takeName(written, place), bytes }
  } finally {
    await rm(written, { force: true })
  }
}
