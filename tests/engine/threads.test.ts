/** Collecting on several threads gives the bits of one, in order, and says what went wrong in a thread. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256OfFile } from '../../src/main/files/saelens'
import { threadSource } from '../../src/main/engine/train/thread-source'
import { threadsFor } from '../../src/main/tasks/source'
import type { JobSpec } from '../../src/main/jobs/messages'
import { TrainConfig } from '../../src/shared/domain'
import { reportSkip, storiesFolder } from './goldens'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('collecting on threads', 'the stories260K model is absent')
const hookName = 'blocks.2.hook_resid_post'
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-threads-'))
  entry = await buildWorker()
  const lines = (await readFile(join(stories, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, 300)
  await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

async function run(spec: JobSpec, threads: number): Promise<void> {
  const worker = new TestWorker(entry, 'wasm', { MONOSCOPE_THREADS: String(threads) })
  worker.tell({ type: 'start', spec })
  expect(await worker.exited).toBe(0)
  expect(worker.messages.at(-1)).toEqual({ type: 'done' })
}

/** Trains and builds an atlas. @returns sha256 of both results */
async function hashesWith(threads: number): Promise<{ sae: string; atlas: string }> {
  const folder = join(root, `threads-${threads}`)
  const model = { name: 'stories', path: stories ?? '', sha256: 'a' }
  const dataset = {
    name: 'corpus',
    path: join(root, 'corpus.jsonl'),
    textField: 'text',
    deduplicate: false,
    sha256: 'd'.repeat(64),
  }
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName, architecture: 'standard', dSae: 96, l1Coefficient: 1 },
    ...{ learningRate: 3e-3, batchTokens: 256, trainingTokens: 256 * 20, contextSize: 64, bufferTokens: 4096, seed: 3 },
  })
  await run({ kind: 'train', name: 'same', config, model, dataset, folder, checkpointMinutes: 10 }, threads)
  // The same autoencoder for all, so that the atlas file names the same origin.
  const sae = { path: join(root, 'threads-1', 'sae'), hookName, contextSize: 64 }
  const file = join(folder, 'atlas.safetensors')
  const files = { file, tokensFile: join(folder, 'tokens.safetensors') }
  const sizes = { topContexts: 20, intervalContexts: 10, seed: 0 }
  await run({ kind: 'atlas', model, dataset: { ...dataset, sha256: 'text' }, sae, ...files, ...sizes }, threads)
  return { sae: await sha256OfFile(join(folder, 'sae', 'sae_weights.safetensors')), atlas: await sha256OfFile(file) }
}

describe.skipIf(!stories)('threads', () => {
  it('give the same autoencoder and the same atlas, however many there are', { timeout: 120_000 }, async () => {
    const one = await hashesWith(1)
    expect(await hashesWith(2)).toEqual(one)
    expect(await hashesWith(3)).toEqual(one)
  })
  it('answer in order, each pass by itself', () => {
    const setup = {
      entry,
      threads: 2,
      modelPath: stories ?? '',
      blocks: 3,
      hookName,
      backend: 'wasm',
      bosId: 1,
      specialIds: new Set<number>(),
      dIn: 64,
    }
    const source = threadSource(setup)
    const pass = (id: number) => source.start(Int32Array.of(1, id, id + 1, 7), 1)
    const waiting = [3, 9, 3, 12, 9].map(pass)
    const results = waiting.map((wait) => wait())
    expect(results.map(({ length }) => length)).toEqual([256, 256, 256, 256, 256])
    expect(results[0]).toEqual(results[2])
    expect(results[1]).toEqual(results[4])
    expect(results[0]).not.toEqual(results[1])
    source.dispose()
  })
  it('say what went wrong', () => {
    const setup = {
      entry,
      threads: 2,
      modelPath: join(root, 'nowhere'),
      blocks: 3,
      hookName,
      backend: 'wasm',
      bosId: 1,
      specialIds: new Set<number>(),
      dIn: 64,
    }
    const source = threadSource(setup)
    const wait = source.start(Int32Array.of(1, 2), 1)
    expect(() => wait()).toThrow(expect.objectContaining({ code: 'model-folder-missing' }))
    source.dispose()
  })
})

it('are as many as cores and memory allow, and only where a backend computes on one', () => {
  const before = process.env.MONOSCOPE_THREADS
  try {
    delete process.env.MONOSCOPE_THREADS
    expect(threadsFor({ backend: 'tensorflow', weightBytes: 1 })).toBe(1)
    expect(threadsFor({ backend: 'wasm', weightBytes: 1e15 })).toBe(1)
    process.env.MONOSCOPE_THREADS = '5'
    expect(threadsFor({ backend: 'wasm', weightBytes: 1 })).toBe(5)
    expect(threadsFor({ backend: 'cpu', weightBytes: 1 })).toBe(1)
  } finally {
    if (before === undefined) delete process.env.MONOSCOPE_THREADS
    else process.env.MONOSCOPE_THREADS = before
  }
})
