/** How much a run has on disk. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of all files of a folder and its subfolders; 0 when it is not there. */
export function folderBytes(folder: string): number {
  let bytes = 0
  for (const path of namesIn(folder)) {
    const found = statSync(join(folder, path), { throwIfNoEntry: false })
    if (found?.isFile()) bytes += found.size
  }
  return bytes
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}
