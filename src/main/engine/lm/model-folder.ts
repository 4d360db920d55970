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

const WEIGHTS = /\.safetensors$|\.safetensors\.index\.json$/
const PICKLE = /^(pytorch_model|consolidated|model).*\.(bin|pth?|ckpt)$/

/**
 * A folder that cannot be looked into passes: reading config.json then says why.
 * @throws AppError model-gguf, model-not-folder, model-folder-missing, model-config-missing, model-pickle
 */
export async function requireModelFolder(path: string): Promise<void> {
  const given = await stat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new AppError('model-folder-missing', { path })
    return null
  })
  if (given?.isFile()) {
    const gguf = await isGguf(path).catch(() => false)
    throw new AppError(gguf ? 'model-gguf' : 'model-not-folder', { path })
  }
  if (!given?.isDirectory()) return
  const names = await readdir(path).catch(() => null)
  if (!names) return
  const gguf = names.find((name) => name.toLowerCase().endsWith('.gguf'))
  if (gguf !== undefined && !names.includes('config.json')) throw new AppError('model-gguf', { path: join(path, gguf) })
  const pickle = names.find((name) => PICKLE.test(name))
  if (pickle !== undefined && !names.some((name) => WEIGHTS.test(name))) {
    throw new AppError('model-pickle', { path, file: pickle })
  }
  if (!names.includes('config.json')) throw new AppError('model-config-missing', { path })
}
