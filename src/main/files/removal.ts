/** Removing folders so that a kill in the middle leaves nothing that looks whole, and sweeping up what kills left behind. */
import { randomBytes } from 'node:crypto'
import { readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Files and folders in the middle of being written, as atomic.ts names them, and folders in the middle of being removed. */
const LEFT = /^\..*\.part$|^\.removed-[0-9a-f]+$/

/** Removes a folder in one step for whoever looks, then its files; what a kill leaves of it is swept at the next start. */
export async function removeFolder(folder: string): Promise<void> {
  const removed = join(dirname(folder), `.removed-${randomBytes(6).toString('hex')}`)
  // A folder that cannot be renamed is removed as it stands.
  const isRenamed = await rename(folder, removed).then(
    () => true,
    () => false,
  )
  await rm(isRenamed ? removed : folder, { recursive: true, force: true })
}

/** Removes leftovers right in a folder that no process writes to. What cannot be removed stays, and is tried at the next start. */
export async function sweepFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((one) => LEFT.test(one))) {
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined)
  }
}
