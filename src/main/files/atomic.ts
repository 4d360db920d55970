/** Files and folders that appear under their final name only when they are complete and on the disk. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../shared/errors'

/** The system takes less than 2 GiB at once. */
const LARGEST_WRITE = 2 ** 30

type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Turns the system's refusal to write `path` into the error a person can act on; anything else passes unchanged. */
export function writeError(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return new AppError('disk-full', { path }, { cause: error })
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST'].includes(code)) {
    return new AppError('workspace-unwritable', { path, reason: code }, { cause: error })
  }
  return error
}

async function writeAll(handle: FileHandle, bytes: Bytes): Promise<void> {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      at += (await handle.write(part, at, Math.min(part.length - at, LARGEST_WRITE))).bytesWritten
    }
  }
}

/** Makes a rename last through a power cut; Windows cannot open folders and needs no such step. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a whole file beside `path`, syncs it, and renames it there; the folder is made when missing.
 * Until the rename an older file of that name stays as it is; after a failure nothing new remains.
 * @throws AppError disk-full, workspace-unwritable
 */
export async function writeFileAtomic(path: string, bytes: Bytes): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
  try {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(part, 'wx')
    try {
      await writeAll(handle, bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    throw writeError(error, path)
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else if (entry.isFile()) {
      const handle = await open(path, 'r+')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    }
  }
  await syncFolder(folder)
}

const previousOf = (folder: string) => `${folder}.previous`

/**
 * Repairs what a crash in the middle of {@link replaceFolder} leaves: the old folder under its waiting name is put back when
 * the new one had not arrived yet, and removed when it had. Call it before reading a folder that is replaced while running.
 * @throws AppError disk-full, workspace-unwritable
 */
export async function recoverFolder(folder: string): Promise<void> {
  const previous = previousOf(folder)
  if (!(await exists(previous))) return
  try {
    if (await exists(folder)) await rm(previous, { recursive: true, force: true })
    else await rename(previous, folder)
  } catch (error) {
    throw writeError(error, folder)
  }
}

/**
 * Puts the complete folder `tmp` at `final`, replacing what is there; both must lie on one disk.
 * At every moment `final`, or else `final.previous` (see {@link recoverFolder}), is a complete folder.
 * @throws AppError disk-full, workspace-unwritable
 */
export async function replaceFolder(tmp: string, final: string): Promise<void> {
  await recoverFolder(final)
  try {
    await syncTree(tmp)
    const previous = previousOf(final)
    const replaces = await exists(final)
    if (replaces) await rename(final, previous)
    try {
      await rename(tmp, final)
    } catch (error) {
      if (replaces) await rename(previous, final)
      throw error
    }
    await syncFolder(dirname(final))
    await rm(previous, { recursive: true, force: true })
  } catch (error) {
    throw writeError(error, final)
  }
}
