/** Gets packages into a folder and unpacks them there; what is there with the right hash is not fetched again. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Package, Source } from './sources'

function run(command: string, args: string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: false })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`)
}

const sha256Of = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Debian's own name of an archive has the version's colon escaped and the machine's kind at its end. */
function archiveOf({ kind, name, version }: Package, folder: string): string | null {
  const start = kind === 'npm' ? `${name.replace('@', '').replace('/', '-')}-${version}.tgz` : `${name}_`
  const wanted = version.replaceAll(':', '%3a')
  const found = readdirSync(folder).find((file) => file.startsWith(start) && file.includes(wanted))
  return found ? join(folder, found) : null
}

/**
 * @returns the folder with the files of the package
 * @throws Error when it cannot be fetched, or is not what its hash says
 */
export function fetchPackage(wanted: Package, folder: string): string {
  const { kind, name, version, sha256 } = wanted
  const target = join(folder, `${kind}-${name.replace('/', '-')}-${version.replaceAll(':', '-')}`)
  if (existsSync(target)) return target
  mkdirSync(folder, { recursive: true })
  if (!archiveOf(wanted, folder)) {
    if (kind === 'npm') run('npm', ['pack', '--silent', `${name}@${version}`], folder)
    else run('apt-get', ['download', '-qq', `${name}=${version}`], folder)
  }
  const archive = archiveOf(wanted, folder)
  if (!archive) throw new Error(`${name} ${version} was not fetched`)
  if (sha256Of(archive) !== sha256) throw new Error(`${archive} is not the file that was used before: its hash differs`)
  mkdirSync(target)
  if (kind === 'npm') run('tar', ['-xzf', archive, '-C', target], folder)
  else run('dpkg-deb', ['-x', archive, target], folder)
  return target
}

/** @throws Error when the package does not say the licence it is used under */
export function checkLicence({ name, proof }: Source, folder: string): void {
  if (!proof) return
  const [file, words] = proof
  const text = readFileSync(join(folder, file), 'utf8').replace(/\s+/g, ' ')
  if (!text.includes(words)) throw new Error(`${name}: ${file} does not say "${words}"`)
}

/** Files of a source below its unpacked package, in order of their paths. */
export function filesOf({ folders, ends }: Source, folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll('\\', '/'))
    .filter((path) => folders.some((start) => path.startsWith(start)) && ends.some((end) => path.endsWith(end)))
    .sort()
}
