/** Which files a model, an autoencoder or a text consists of, and a stamp that tells at no cost whether they may have changed. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileKind } from '../../shared/domain'
import { listFiles } from './documents/files'
import { WEIGHTS_FILE } from './saelens'

async function filesOf(kind: FileKind, path: string): Promise<string[]> {
  if (kind === 'sae') return [join(path, WEIGHTS_FILE)]
  if (kind === 'dataset') return (await listFiles(path)).map((file) => file.path)
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors'))
  return names.sort().map((name) => join(path, name))
}

export type Stamp = {
  /** Names, sizes and times of the last change, as one text. */
  stamp: string
  /** When the youngest of them was changed or put there, ms since 1970. */
  newest: number
}

/** Null where files are missing or cannot be looked at. */
export async function stampOf(kind: FileKind, path: string): Promise<Stamp | null> {
  try {
    const facts = await Promise.all(
      (await filesOf(kind, path)).map(async (file) => {
        const { size, mtimeMs, ctimeMs } = await stat(file)
        return { file, size, mtimeMs, ctimeMs }
      }),
    )
    // A copy keeps the time of the last change, but not that of the last change of its entry.
    const newest = Math.max(...facts.flatMap(({ mtimeMs, ctimeMs }) => [mtimeMs, ctimeMs]))
    return { stamp: JSON.stringify(facts.map(({ file, size, mtimeMs }) => [file, size, mtimeMs])), newest }
  } catch {
    return null
  }
}
