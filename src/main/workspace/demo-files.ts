/** The files of the bundled demo, copied into the workspace: a workspace must not depend on where the program is installed. */
import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AppError } from '../../shared/errors'
import { recoverFolder, replaceFolder, writeError } from '../files/atomic'

const SAMPLE = 'sample.jsonl.gz'
/** Documents of the text for a first look: an atlas of them is a matter of a minute. */
const SHORT_DOCUMENTS = 700
/** Parts of the demo's folder that are copied; model card and sources stay where they are. */
const PARTS = ['model', 'saes'] as const

/** Where things lie in the workspace. */
export type DemoFiles = { model: string; sample: string; short: string; saes: string[] }

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return files.sort()
}

/** Names the demo by its bytes, so that the demo of a later version comes to lie beside that of an earlier one. */
async function nameOf(bundled: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file.slice(bundled.length).replaceAll('\\', '/')).update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

async function fill(folder: string, bundled: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const target = join(folder, file.slice(bundled.length))
    if (basename(file) === SAMPLE) continue
    await mkdir(dirname(target), { recursive: true })
    await copyFile(file, target)
  }
  const text = (await promisify(gunzip)(await readFile(join(bundled, SAMPLE)))).toString('utf8')
  await writeFile(join(folder, 'sample.jsonl'), text)
  const lines = text.split('\n').slice(0, SHORT_DOCUMENTS)
  await writeFile(join(folder, 'short.jsonl'), `${lines.join('\n')}\n`)
}

/**
 * Copies the demo unless it is there; the folder appears whole or not at all.
 * @param bundled the program's own folder of the demo
 * @param target folder for demos in the workspace
 * @throws AppError demo-missing, disk-full, workspace-unwritable
 */
export async function copyDemo(bundled: string, target: string): Promise<DemoFiles> {
  const parts = await Promise.all(PARTS.map((part) => filesBelow(join(bundled, part)))).catch((error: unknown) => {
    throw new AppError('demo-missing', { path: bundled }, { cause: error })
  })
  const files = [...parts.flat(), join(bundled, SAMPLE)]
  await stat(join(bundled, SAMPLE)).catch((error: unknown) => {
    throw new AppError('demo-missing', { path: bundled }, { cause: error })
  })
  const folder = join(target, await nameOf(bundled, files))
  await recoverFolder(folder)
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    const part = join(target, `.${randomBytes(6).toString('hex')}.part`)
    try {
      await mkdir(part, { recursive: true })
      await fill(part, bundled, files)
      await replaceFolder(part, folder)
    } catch (error) {
      await rm(part, { recursive: true, force: true }).catch(() => undefined)
      throw writeError(error, folder)
    }
  }
  const saes = (await readdir(join(folder, 'saes'))).sort().map((name) => join(folder, 'saes', name))
  const inside = (name: string) => join(folder, name)
  return { model: inside('model'), sample: inside('sample.jsonl'), short: inside('short.jsonl'), saes }
}
