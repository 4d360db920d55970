/**
 * Finds the programs that the window tests drive: a Chromium, a virtual display, an Electron binary. As root on Debian the missing
 * system packages are installed; elsewhere they are named and the tests that need them skip with that reason.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, say } from './bootstrap.mjs'

const find = (names) => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      if (folder && existsSync(path)) return path
    }
  }
  return null
}

const CHROMIUM_PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]
const findChromium = () =>
  process.env.CHROMIUM_PATH ??
  find(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) ??
  CHROMIUM_PLACES.find((path) => existsSync(path)) ??
  null

/** Debian packages that are missing for the window tests. */
function missingDebianPackages() {
  if (process.platform !== 'linux') return []
  const missing = []
  if (!findChromium()) missing.push('chromium')
  if (!find(['Xvfb'])) missing.push('xvfb')
  if (!find(['xauth'])) missing.push('xauth')
  // Without Korean glyphs every Hangul screenshot is a row of boxes.
  if (!existsSync('/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc')) missing.push('fonts-noto-cjk')
  return missing
}

function installOnDebian(packages) {
  say(`installing the system packages ${packages.join(', ')} for the window tests`)
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    if (spawnSync('apt-get', args, options).status !== 0) {
      say(`apt-get ${args[0]} failed; the tests that need ${packages.join(', ')} will skip`)
      return
    }
  }
}

/** The Electron that tests may start: an override folder, or the binary the electron package has downloaded. */
export function findElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const pathFile = join(root, 'node_modules/electron/path.txt')
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron'
  const path = override ? join(override, name) : join(root, 'node_modules/electron/dist', name)
  return existsSync(path) ? path : null
}

/** Makes the programs available where it may, and tells the tests by environment variables where they are. */
export function ensureTestPrograms() {
  const missing = missingDebianPackages()
  if (missing.length > 0) {
    const isDebianRoot = process.getuid?.() === 0 && find(['apt-get']) !== null
    if (isDebianRoot) installOnDebian(missing)
    else say(`window tests need ${missing.join(', ')}; install them (on Debian: apt-get install ${missing.join(' ')})`)
  }
  const chromium = findChromium()
  const electron = findElectron()
  return {
    ...(chromium ? { MONOSCOPE_TEST_CHROMIUM: chromium } : {}),
    ...(electron ? { MONOSCOPE_TEST_ELECTRON: electron } : {}),
  }
}
