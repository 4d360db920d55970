/** Checkpoints: what was written comes back to the bit, damage is refused, and the old one survives whatever cuts a new one off. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCheckpoint, writeCheckpoint } from '../../src/main/engine/train/checkpoint'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import { sha256OfFile } from '../../src/main/files/saelens'
import { checkpointStep, withResume } from '../../src/main/jobs/checkpoints'
import { killWhere } from '../fixtures/stop-process'
import { makeCheckpoint } from '../fixtures/checkpoint'

const ROOT = resolve(import.meta.dirname, '../..')
/** Inside node_modules, so that packages resolve from there and nothing else looks at it. */
const built = join(ROOT, 'node_modules', '.cache', `monoscope-checkpoint-${process.pid}`)
const child = join(built, 'checkpoint-child.js')
let root = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-checkpoint-'))
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    build: { ssr: join(ROOT, 'tests/unit/checkpoint-child.ts'), outDir: built, emptyOutDir: true, target: 'node24' },
  })
}, 120_000)
afterAll(async () => {
  await rm(built, { recursive: true, force: true })
  await rm(root, { recursive: true, force: true })
})

/** A fresh run folder with one good checkpoint in it. */
async function runFolder(name: string): Promise<{ folder: string; path: string }> {
  const folder = join(root, name)
  const path = join(folder, 'checkpoint')
  await writeCheckpoint(path, makeCheckpoint(5))
  return { folder, path }
}

describe('a checkpoint', () => {
  it('comes back as it was written, and leaves nothing else', async () => {
    const { folder, path } = await runFolder('whole')
    expect(await readCheckpoint(path)).toEqual(makeCheckpoint(5))
    await writeCheckpoint(path, makeCheckpoint(6, { rows: 0 }))
    expect(await readCheckpoint(path)).toEqual(makeCheckpoint(6, { rows: 0 }))
    expect(await readdir(folder)).toEqual(['checkpoint'])
  })

  it('of an older version held documents out by their places', async () => {
    const { path } = await runFolder('older')
    await edit(path, /"heldOutRule": 2,/, '')
    expect(await readCheckpoint(path)).toEqual({ ...makeCheckpoint(5), heldOutRule: 1 })
  })

  it('tells main its step, also from where a crash left it', async () => {
    const { folder, path } = await runFolder('step')
    // Only the state of a run is looked at besides its folder.
    const run = (state: string) => ({ id: 1, state }) as Parameters<typeof withResume>[0]
    expect(withResume(run('failed'), folder)).toEqual({ id: 1, state: 'failed', canResume: true, resumeStep: 5 })
    expect(withResume(run('done'), folder)).toMatchObject({ canResume: false, resumeStep: null })
    await rename(path, `${path}.previous`)
    expect(checkpointStep(folder)).toBe(5)
    expect((await readCheckpoint(path)).trainer.step).toBe(5)
    await writeFile(join(path, 'state.json'), '{')
    expect(withResume(run('cancelled'), folder)).toMatchObject({ canResume: false, resumeStep: null })
    expect(checkpointStep(join(root, 'nowhere'))).toBeNull()
  })
})

/** Changes tensors, and the checksum with them, so that only the tensors themselves can be found wrong. */
async function forge(path: string, change: (tensors: Record<string, TensorToWrite>) => void): Promise<void> {
  const name = join(path, 'state.safetensors')
  const file = await openSafetensors(name)
  const tensors: Record<string, TensorToWrite> = {}
  for (const key of file.tensors.keys()) tensors[key] = await file.read(key)
  await file.close()
  const before = await sha256OfFile(name)
  change(tensors)
  await writeSafetensors(name, tensors)
  await edit(path, before, await sha256OfFile(name))
}

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  const name = join(path, 'state.json')
  const text = await readFile(name, 'utf8')
  expect(text).toMatch(from)
  await writeFile(name, text.replace(from, to))
}

const damages: [string, (path: string) => Promise<void>, RegExp][] = [
  ['no state.json', (path) => rm(join(path, 'state.json')), /state\.json is missing/],
  ['half a state.json', (path) => truncate(join(path, 'state.json'), 100), /state\.json is not JSON/],
  ['an older form', (path) => edit(path, /checkpoint-2/, 'checkpoint-1'), /the form monoscope-checkpoint-1/],
  ['a missing number', (path) => edit(path, /"threshold": 0.25,/, ''), /does not describe a training/],
  [
    'a step beyond the last',
    (path) => edit(path, /"step": 5,/, '"step": 5000000,'),
    /a step that the run does not have/,
  ],
  ['no tensors', (path) => rm(join(path, 'state.safetensors')), /state\.safetensors cannot be read/],
  ['cut tensors', (path) => truncate(join(path, 'state.safetensors'), 700), /is not the file that was written/],
  [
    'a place nested without end',
    (path) => edit(path, /"stream": \{/, `"stream": {"deep": ${'['.repeat(200_000)}${']'.repeat(200_000)},`),
    /state\.json/,
  ],
  ['a flipped bit', (path) => flipBit(join(path, 'state.safetensors')), /is not the file that was written/],
  [
    'a value that is no number',
    (path) => forge(path, (tensors) => tensors['adam.first.wEnc']?.data.fill(Number.NaN as never)),
    /adam\.first\.wEnc has values that are no numbers/,
  ],
  [
    'another width',
    (path) => forge(path, (t) => (t['parameter.bEnc'] = { dtype: 'F32', shape: [2], data: new Float32Array(2) })),
    /parameter\.bEnc is F32 \[2\], not F32 \[8\]/,
  ],
  ['a lost tensor', (path) => forge(path, (tensors) => delete tensors.silentFor), /has no tensor silentFor/],
]

async function flipBit(path: string): Promise<void> {
  const bytes = readFileSync(path)
  const at = bytes.length - 9
  bytes[at] = (bytes[at] ?? 0) ^ 4
  await writeFile(path, bytes)
}

describe('a damaged checkpoint is refused', () => {
  it.each(damages)('with %s', async (name, damage, sentence) => {
    const { path } = await runFolder(`damaged ${name}`)
    await damage(path)
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint-invalid' })
    await expect(readCheckpoint(path)).rejects.toThrow(sentence)
  })
})

describe('the old checkpoint stays', () => {
  it.skipIf(process.platform === 'win32')('when there is no room for the new one', async () => {
    const { folder, path } = await runFolder('full')
    await cp(path, join(root, 'copy'), { recursive: true })
    // The shell lets its child write no file beyond 32 or 64 KiB; the new one has 1.6 MB.
    const command = 'ulimit -f 64 && exec "$0" "$1" "$2" 9 100000'
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command, process.execPath, child, path])
    expect(stdout).toContain('EFBIG')
    expect(await readCheckpoint(path)).toEqual(await readCheckpoint(join(root, 'copy')))
    expect(await readdir(folder)).toEqual(['checkpoint'])
  })

  it.skipIf(process.platform !== 'linux')(
    'or is replaced whole, when the writer is killed',
    { timeout: 60_000 },
    async () => {
      const { folder, path } = await runFolder('killed')
      const isWriting = () => readdirSync(folder).some((name) => name.endsWith('.part'))
      let last = 5
      for (const place of ['in mid-checkpoint', 'anywhere', 'in mid-checkpoint', 'anywhere', 'in mid-checkpoint']) {
        const writer = spawn(process.execPath, [child, path, String(last + 1), '60000'], { stdio: 'ignore' })
        const exited = new Promise((done) => writer.once('exit', done))
        const isWanted = () => checkpointStep(folder) !== last && (place === 'anywhere' || isWriting())
        expect(await killWhere(writer.pid ?? 0, isWanted)).toBe(true)
        await exited
        if (place !== 'anywhere') expect(isWriting()).toBe(true)
        const { trainer } = await readCheckpoint(path)
        expect(trainer.step).toBeGreaterThan(last)
        expect(trainer).toEqual(makeCheckpoint(trainer.step).trainer)
        last = trainer.step
      }
      expect(existsSync(`${path}.previous`)).toBe(false)
    },
  )
})
