/** The cache folder of Hugging Face programs: what Python has downloaded is found here, and what this program downloads is found there. */
import { copyFile, mkdir, readFile, readdir, readlink, rm, stat, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, posix, resolve } from 'node:path'
import { writeError, writeFileAtomic } from '../files/atomic'
import { COMMIT } from './listing'
import type { RepoKind } from './source'

type Env = Record<string, string | undefined>

const MAX_SNAPSHOT_FILES = 100_000

/** The value of a variable; an empty one counts as none. */
export const filled = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** HF_HUB_CACHE, else the hub folder of HF_HOME, else the usual place under the home folder. */
export function cacheFolder(env: Env, home = homedir()): string {
  const own = filled(env.HF_HUB_CACHE) ?? filled(env.HUGGINGFACE_HUB_CACHE)
  const hfHome = filled(env.HF_HOME) ?? join(filled(env.XDG_CACHE_HOME) ?? join(home, '.cache'), 'huggingface')
  const path = own ?? join(hfHome, 'hub')
  return resolve(path.replace(/^~(?=$|[/\\])/, home))
}

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  )

/** One repository in the cache. */
export class RepoCache {
  readonly folder: string

  constructor(root: string, kind: RepoKind, name: string) {
    this.folder = join(root, `${kind}s--${name.replace('/', '--')}`)
  }

  /** @param hash hex, from the listing */
  blob(hash: string): string {
    return join(this.folder, 'blobs', hash)
  }

  /** What has arrived of a blob so far. */
  partial(hash: string): string {
    return `${this.blob(hash)}.incomplete`
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit)
  }

  /** A blob appears under its name only after its content was checked; one of another size is not ours to trust. */
  async hasBlob(hash: string, bytes: number): Promise<boolean> {
    return (await sizeOf(this.blob(hash))) === bytes
  }

  /** Bytes of a file that need not be asked for again. */
  async arrivedBytes(hash: string, bytes: number): Promise<number> {
    if (await this.hasBlob(hash, bytes)) return bytes
    const partial = (await sizeOf(this.partial(hash))) ?? 0
    return partial <= bytes ? partial : 0
  }

  /**
   * Puts a blob into a snapshot under its name: a relative link, or a copy where the system allows no links.
   * @throws AppError `disk-full`, `workspace-unwritable`
   */
  async link(commit: string, path: string, hash: string): Promise<void> {
    const place = join(this.snapshot(commit), path)
    const up = '../'.repeat(path.split('/').length + 1)
    const target = posix.join(up, 'blobs', hash)
    try {
      await mkdir(dirname(place), { recursive: true })
      if ((await readlink(place).catch(() => null)) === target) return
      await rm(place, { force: true })
      await symlink(target, place).catch(() => copyFile(this.blob(hash), place))
    } catch (error) {
      throw writeError(error, place)
    }
  }

  /** Remembers which commit a named revision was; a commit needs no name. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision !== commit) await writeFileAtomic(this.ref(revision), Buffer.from(commit, 'utf8'))
  }

  /** The commit that a revision was when it was last downloaded, or null. */
  async readRef(revision: string): Promise<string | null> {
    if (COMMIT.test(revision)) return revision
    const commit = (await readFile(this.ref(revision), 'utf8').catch(() => '')).trim()
    return COMMIT.test(commit) ? commit : null
  }

  /** Files of a snapshot whose content is there, with their sizes. */
  async snapshotFiles(commit: string): Promise<{ path: string; bytes: number }[]> {
    const folder = this.snapshot(commit)
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    const files: { path: string; bytes: number }[] = []
    for (const name of names.slice(0, MAX_SNAPSHOT_FILES).sort()) {
      const bytes = await sizeOf(join(folder, name))
      if (bytes !== null) files.push({ path: name.replaceAll('\\', '/'), bytes })
    }
    return files
  }

  private ref(revision: string): string {
    return join(this.folder, 'refs', revision)
  }
}
