/** The bootstrap of a bare checkout, run for real in small stand-in checkouts with a stand-in npm. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
let checkout: string

const lock = (version: string) => ({
  packages: {
    '': { name: 'monoscope' },
    'node_modules/thing': { version },
    'node_modules/for-another-system': { version: '1.0.0', optional: true },
  },
})

/** An npm that "installs" by writing the hidden lockfile, or fails with a message. */
const npmThatWorks = `
  const fs = require('node:fs')
  fs.writeFileSync('npm-calls.txt', process.argv.slice(2).join(' ') + '\\n', { flag: 'a' })
  fs.mkdirSync('node_modules/thing', { recursive: true })
  fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
  console.log('npm says it on stdout')`
const npmThatFails = `console.error('npm error 404 thing@1.0.0 is not there'); process.exit(7)`

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'monoscope-bootstrap-'))
  cpSync(join(root, 'scripts'), join(checkout, 'scripts'), { recursive: true })
  writeFileSync(join(checkout, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify(lock('1.0.0')))
  mkdirSync(join(checkout, 'src'))
  writeFileSync(join(checkout, 'src/a.ts'), '')
  writeFileSync(join(checkout, 'electron.vite.config.ts'), '')
})
afterEach(() => rmSync(checkout, { recursive: true, force: true }))

function run(task: string, npm = npmThatWorks) {
  writeFileSync(join(checkout, 'npm.cjs'), npm)
  return spawnSync(process.execPath, [join(checkout, 'scripts/run.mjs'), task, 'one', 'two'], {
    encoding: 'utf8',
    env: { ...process.env, npm_execpath: join(checkout, 'npm.cjs') },
  })
}

/** Puts a stand-in program where a task expects its tool. */
function program(path: string, text: string) {
  mkdirSync(join(checkout, path, '..'), { recursive: true })
  writeFileSync(join(checkout, path), text)
}

const electronVite = 'node_modules/electron-vite/bin/electron-vite.js'
const buildsHeadless = `
  import { mkdirSync, writeFileSync } from 'node:fs'
  mkdirSync('out/main', { recursive: true })
  writeFileSync('builds.txt', 'built\\n', { flag: 'a' })
  writeFileSync('out/main/headless.js', 'console.log("ran " + process.argv.slice(2).join(" "))')`

describe('bootstrap', () => {
  it('installs, builds and runs on a bare checkout, with only the result on stdout', () => {
    program('npm-prepared', '')
    program(electronVite, buildsHeadless)
    const result = run('monoscope')
    expect(result.stderr).toContain('monoscope: installing packages (all packages not there yet)')
    expect(result.stderr).toContain('npm says it on stdout')
    expect(result.stderr).toContain('monoscope: building the app')
    expect(result.stdout).toBe('ran one two\n')
    expect(result.status).toBe(0)
  })

  it('does neither again when nothing changed, and both when their inputs did', () => {
    program(electronVite, buildsHeadless)
    run('monoscope')
    expect(run('monoscope').stderr).toBe('')
    writeFileSync(join(checkout, 'src/b.ts'), '')
    writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify(lock('1.0.1')))
    const result = run('monoscope')
    expect(result.stderr).toContain('installing packages (node_modules/thing not there yet)')
    expect(readFileSync(join(checkout, 'builds.txt'), 'utf8')).toBe('built\nbuilt\n')
    expect(readFileSync(join(checkout, 'npm-calls.txt'), 'utf8')).toMatch(/^ci .+\nci .+\n$/)
  })

  it('shows the messages of an npm that fails and stops', () => {
    const result = run('monoscope', npmThatFails)
    expect(result.stderr).toContain('npm error 404 thing@1.0.0 is not there')
    expect(result.stderr).toContain('monoscope: npm ci failed with exit code 7')
    expect(result.status).toBe(1)
    expect(existsSync(join(checkout, 'out'))).toBe(false)
  })

  it('passes the exit code of the program on', () => {
    program(electronVite, buildsHeadless.replace('console.log', 'process.exitCode = 3; console.log'))
    expect(run('monoscope').status).toBe(3)
  })

  it('stops when the build fails', () => {
    program(electronVite, 'console.error("cannot build"); process.exit(1)')
    const result = run('monoscope')
    expect(result.stderr).toContain('cannot build')
    expect(result.stderr).toContain('monoscope: the build failed; its messages are above')
    expect(result.status).toBe(1)
  })

  it('names the tasks there are when asked for another', () => {
    const result = run('fly')
    expect(result.stderr).toMatch(/there is no task "fly"; there are start, demo, monoscope/)
    expect(result.status).toBe(1)
  })
})
