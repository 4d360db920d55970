/** Starts the two real hosts for a journey: Chromium on served mode, and the Electron window. Both give a page and what it complained of. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { _electron, chromium, type Page } from 'playwright-core'

export const root = resolve(import.meta.dirname, '../..')

/** A page on a running host. `complaints` collects console errors, uncaught errors and policy violations. */
export type Host = { page: Page; complaints: string[]; workspace: string; close(): Promise<void> }

export const chromiumPath = process.env.MONOSCOPE_TEST_CHROMIUM
export const electronPath = process.env.MONOSCOPE_TEST_ELECTRON

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Why the hosts cannot run here, or null. Where they are required a missing one is a failure, not a skip. */
export function missingHost(which: 'web' | 'desktop'): string | null {
  const path = which === 'web' ? chromiumPath : electronPath
  if (path) return null
  const reason = `no ${which === 'web' ? 'Chromium' : 'Electron'} was found on this machine`
  if (process.env[which === 'web' ? 'MONOSCOPE_REQUIRE_WEB' : 'MONOSCOPE_REQUIRE_DESKTOP']) throw new Error(reason)
  process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`))
}

const temporaryWorkspace = () => mkdtempSync(join(tmpdir(), 'monoscope-journey-'))

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Starts `monoscope serve` on a free port and tells its address. */
export async function startServer(workspace: string): Promise<{ address: string; child: ChildProcess }> {
  const program = join(root, 'out/main/headless.js')
  const child = spawn(process.execPath, [program, '--workspace', workspace, '--json', 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as { address?: string }
    if (answer.address) return { address: answer.address, child }
  }
  throw new Error('the server ended without an address')
}

/** Chromium on served mode; `given` is a workspace that stays when the host closes. */
export async function openWebHost(given?: string): Promise<Host> {
  const workspace = given ?? temporaryWorkspace()
  const { address, child } = await startServer(workspace)
  const browser = await chromium.launch({ executablePath: chromiumPath!, args: CHROMIUM_ARGS })
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
    colorScheme: 'light',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  listen(page, complaints)
  await page.goto(address)
  return {
    page,
    complaints,
    workspace,
    close: async () => {
      await browser.close()
      await endProcess(child)
      if (!given) rmSync(workspace, { recursive: true, force: true })
    },
  }
}

/** A virtual display of our own where none is there. */
export async function startDisplay(): Promise<{ display: string; child: ChildProcess | null }> {
  const existing = process.env.DISPLAY
  if (existing || process.platform !== 'linux') return { display: existing ?? '', child: null }
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const output = child.stdio[3]
  if (!output) throw new Error('Xvfb has no display pipe')
  const [number] = (await once(output, 'data')) as [Buffer]
  return { display: `:${number.toString().trim()}`, child }
}

/** Opens the app in a real Electron window; `program` is the packaged executable, or nothing for the built checkout. */
export async function openDesktopHost(program?: string): Promise<Host> {
  const workspace = temporaryWorkspace()
  const userData = mkdtempSync(join(tmpdir(), 'monoscope-user-'))
  const { display, child } = await startDisplay()
  const app = await _electron.launch({
    executablePath: program ?? electronPath!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--lang=en-US',
      `--user-data-dir=${userData}`,
      ...(program ? [] : [root]),
      '--workspace',
      workspace,
    ],
    env: { ...process.env, DISPLAY: display, LANG: 'en_US.UTF-8' },
  })
  const page = await app.firstWindow()
  const complaints: string[] = []
  listen(page, complaints)
  await page.emulateMedia({ colorScheme: 'light' })
  return {
    page,
    complaints,
    workspace,
    close: async () => {
      await app.close()
      if (child) await endProcess(child)
      rmSync(workspace, { recursive: true, force: true })
      rmSync(userData, { recursive: true, force: true })
    },
  }
}
