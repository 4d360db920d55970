/**
 * `npm run package`: an unpacked Linux app in dist/, with the plain Node that its workers run on inside.
 * The Electron binary is the one the tests found (ELECTRON_OVERRIDE_DIST_PATH or downloaded); nothing else is downloaded.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fail, findNode, root, say } from './bootstrap.mjs'
import { findElectron } from './test-programs.mjs'

const electron = findElectron()
if (!electron) fail('no Electron binary is here; run npm start once where the network reaches it, then try again')
const version = readFileSync(join(dirname(electron), 'version'), 'utf8')
  .trim()
  .replace(/^v/, '')

/**
 * Plain files instead of an asar: workers run on a plain Node, which cannot read one.
 * RunAsNode stays off, because workers bring their own Node.
 */
const config = {
  appId: 'org.monoscope.app',
  productName: 'Monoscope',
  directories: { output: 'dist', buildResources: 'resources' },
  files: [
    'out/**',
    '!out/.built',
    'package.json',
    'resources/**',
    // Runtimes of all systems come as packages; the one that is needed is copied below.
    '!node_modules/node-*/**',
    // The native TensorFlow is downloaded by the user, never shipped.
    '!node_modules/@tensorflow/tfjs-node-gpu/{deps,lib,build}/**',
    // Bundles for web pages, and what only compilers read.
    '!node_modules/@tensorflow/*/dist/*.{fesm,es2017,min}*',
    // Binaries of other systems than the one that is packed.
    `!node_modules/tokenizers/tokenizers.!(linux-${process.arch}-gnu).node`,
    '!node_modules/better-sqlite3/{deps,src}/**',
    '!node_modules/**/*.{map,md,d.ts}',
  ],
  asar: false,
  npmRebuild: false,
  electronDist: dirname(electron),
  electronVersion: version,
  extraResources: [{ from: findNode(), to: 'runtime/node' }],
  linux: { target: 'dir', category: 'Science', executableName: 'monoscope' },
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableCookieEncryption: true,
    // Playwright attaches through it; it needs a command line argument that only a person on this machine can give.
    enableNodeCliInspectArguments: true,
  },
  publish: null,
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
const configPath = join(tmpdir(), `monoscope-package-${process.pid}.json`)
writeFileSync(configPath, JSON.stringify(config))
const result = spawnSync(
  process.execPath,
  [join(root, 'node_modules/electron-builder/cli.js'), '--linux', '--dir', '--config', configPath],
  { cwd: root, stdio: ['ignore', 2, 2] },
)
rmSync(configPath, { force: true })
if (result.status !== 0) fail('electron-builder failed; its messages are above')
const app = join(root, 'dist/linux-unpacked/monoscope')
if (!existsSync(app)) fail('electron-builder made no app; its messages are above')
say(`made ${app}`)
process.stdout.write(`${app}\n`)
