/**
 * `npm start`: opens the desktop app; where no Electron binary can be had, or there is no display, it says so and serves the same
 * app on 127.0.0.1 instead.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, runProgram, say } from './bootstrap.mjs'
import { findElectron } from './test-programs.mjs'

const args = process.argv.slice(2)

/** Why the desktop app cannot open, or the path of the Electron that can. */
function electronOrReason() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return { reason: 'there is no display' }
  }
  const found = findElectron()
  if (found) return { electron: found }
  say('downloading Electron, once')
  const download = spawnSync(process.execPath, [join(root, 'node_modules/electron/install.js')], {
    stdio: ['ignore', 2, 'pipe'],
    encoding: 'utf8',
    timeout: 10 * 60_000,
  })
  const downloaded = findElectron()
  if (download.status === 0 && downloaded) return { electron: downloaded }
  const why = download.stderr?.split('\n').find((line) => line.includes('Error')) ?? 'the download failed'
  return { reason: `no Electron binary could be had (${why.trim()})` }
}

const { electron, reason } = electronOrReason()
if (electron) {
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0
  // Chromium refuses to sandbox itself as root; the window's own sandbox stays on.
  process.exit(await runProgram(electron, [...(isRoot ? ['--no-sandbox'] : []), root, ...args]))
}
say(`${reason}; serving the same app for a browser instead`)
process.exit(await runProgram(process.execPath, [join(root, 'out/main/headless.js'), 'serve', ...args]))
