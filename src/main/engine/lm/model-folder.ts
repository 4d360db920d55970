/** Tells what was given in place of a model folder, before anything in it is read. */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../../shared/errors'

const MAGIC = 'GGUF'

async function isGguf(path: string): Promise<boolean> {
  if (path.toLowerCase().endsWith('.gguf')) return true
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0)
    return buffer.toString('latin1', 0, bytesRead) === MAGIC
  } finally {
    await file.close()
  }
}

/**
 * A path that cannot be looked at passes: reading config.json then says why.
 * @throws AppError model-gguf, model-not-folder
 */
export async function requireModelFolder(path: string): Promise<void> {
  const given = await stat(path).catch(() => null)
  if (given?.isFile()) {
    const gguf = await isGguf(path).catch(() => false)
    throw new AppError(gguf ? 'model-gguf' : 'model-not-folder', { path })
  }
  if (!given?.isDirectory()) return
  const names = await readdir(path).catch((): string[] => [])
  const gguf = names.find((name) => name.toLowerCase().endsWith('.gguf'))
  if (gguf !== undefined && !names.includes('config.json')) throw new AppError('model-gguf', { path: join(path, gguf) })
}
