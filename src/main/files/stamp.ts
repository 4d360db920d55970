/** Which files a model, an autoencoder or a text consists of, and a stamp that tells at no cost whether they may have changed. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileKind } from '../../shared/domain'
import { listFiles } from './documents/files'
import { CONFIG_FILE, WEIGHTS_FILE } from './saelens'

/** Weights or text, or the small files beside weights that say how they are read. */
export type FilePart = 'content' | 'settings'

const SETTINGS: Record<FileKind, readonly string[]> = {
  model: ['config.json', 'tokenizer.json', 'tokenizer_config.json'],
  sae: [CONFIG_FILE],
  dataset: [],
}

/** Those of the settings that are there; none of a folder that is not. */
export async function settingsFiles(kind: FileKind, path: string): Promise<string[]> {
  if (SETTINGS[kind].length === 0) return []
  const there = new Set(await readdir(path).catch(() => []))
  return SETTINGS[kind].filter((name) => there.has(name)).map((name) => join(path, name))
}

async function filesOf(kind: FileKind, path: string, part: FilePart): Promise<string[]> {
  if (part === 'settings') return settingsFiles(kind, path)
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
export async function stampOf(kind: FileKind, path: string, part: FilePart): Promise<Stamp | null> {
  try {
    const files = await filesOf(kind, path, part)
    if (files.length === 0) return null
    const facts = await Promise.all(
      files.map(async (file) => {
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
