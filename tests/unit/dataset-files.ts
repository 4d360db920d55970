/** Writes small dataset files into a folder of their own, and reads datasets to their end. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readDocuments, type DocumentSource } from '../../src/main/files/documents'
import { AppError } from '../../src/shared/errors'

/** A folder that is removed by `remove`; `write` takes paths below it and returns whole ones. */
export function scratchFolder() {
  const path = mkdtempSync(join(tmpdir(), 'monoscope-documents-'))
  return {
    path,
    write(name: string, content: string | Uint8Array): string {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** The texts of a dataset. @throws Error when indexes are not 0, 1, 2 and so on; AppError as readDocuments */
export async function textsOf(source: Partial<DocumentSource> & { path: string }): Promise<string[]> {
  const found: string[] = []
  for await (const { index, text } of readDocuments({ textField: 'text', ...source })) {
    if (index !== found.length) throw new Error(`index ${index} after ${found.length} documents`)
    found.push(text)
  }
  return found
}

/** The AppError that reading ends with. @throws Error when it ends well; whatever else it ends with */
export async function refusalOf(source: Partial<DocumentSource> & { path: string }): Promise<AppError> {
  try {
    await textsOf(source)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error(`${source.path} was read to its end`)
}
