/** The collecting job in its real process: killed at any moment, it goes on to the bytes of one that was left alone. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIndex } from '../../src/main/files/activation-shards'
import type { CollectSpec } from '../../src/main/jobs/messages'
import { Random } from '../../src/main/engine/train/random'
import { filesOf } from './collect-toy'
import { reportSkip, storiesFolder } from './goldens'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('the collecting process', 'the stories260K model is absent')
const KILLS = 5
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-collecting-'))
  entry = await buildWorker()
  const lines = (await readFile(join(stories, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, 300)
  await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

/** Shards of one forward pass each: 2 x 8 of them. */
const specOf = (name: string): CollectSpec => ({
  kind: 'collect',
  model: { name: 'stories', path: stories ?? '', sha256: 'a' },
  dataset: { name: 'c', path: join(root, 'corpus.jsonl'), textField: 'text', deduplicate: false, sha256: 'b' },
  ...{ hookNames: ['blocks.0.hook_resid_pre', 'blocks.2.hook_resid_post'], contextSize: 64, tokens: 30_000, seed: 1 },
  ...{ folder: join(root, name), shardBytes: 1 },
})

/** Shards of the first hook that the index tells of. */
async function finishedShards(): Promise<number> {
  const index = await readIndex(join(root, 'killed'))
  return index?.hooks[0]?.training.filter((shard) => shard !== null).length ?? 0
}

describe.skipIf(!stories)('the collecting process', () => {
  it('killed again and again, ends with the same bytes', { timeout: 120_000 }, async () => {
    const whole = new TestWorker(entry, 'wasm')
    whole.tell({ type: 'start', spec: specOf('whole') })
    const { set } = await whole.first('collected')
    expect(await whole.exited).toBe(0)
    const expected = await filesOf(join(root, 'whole'))
    expect(Object.keys(expected)).toHaveLength(19)
    expect(set.tokens).toBeGreaterThan(31_000)
    const random = Random.fromSeed(3)
    const finished: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const worker = new TestWorker(entry, 'wasm')
      worker.tell({ type: 'start', spec: specOf('killed') })
      // The first kill falls into the estimate of the norms, the others behind a shard that was not there before.
      if (kill > 0)
        await expect.poll(finishedShards, { timeout: 30_000, interval: 2 }).toBeGreaterThan(finished.at(-1) ?? 0)
      else await worker.first('progress')
      await new Promise((done) => setTimeout(done, 60 * random.uniform()))
      worker.kill()
      await worker.exited
      finished.push(await finishedShards())
    }
    const last = new TestWorker(entry, 'wasm')
    last.tell({ type: 'start', spec: specOf('killed') })
    expect(await last.exited).toBe(0)
    expect(last.messages.at(-1)).toEqual({ type: 'done' })
    expect(await filesOf(join(root, 'killed'))).toEqual(expected)
    process.stdout.write(`killed ${KILLS} times, finished shards of the first hook by then: ${finished.join(', ')}\n`)
  })

  it('keeps what was finished when it is cancelled, and runs nothing again for it', async () => {
    const folder = join(root, 'whole')
    const { mtimeMs } = await stat(join(folder, 'blocks.0.hook_resid_pre', 'training-00000.safetensors'))
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec: specOf('whole') })
    expect(await worker.exited).toBe(0)
    expect((await stat(join(folder, 'blocks.0.hook_resid_pre', 'training-00000.safetensors'))).mtimeMs).toBe(mtimeMs)
    const cancelled = new TestWorker(entry, 'wasm')
    cancelled.tell({ type: 'start', spec: specOf('cancelled') })
    cancelled.tell({ type: 'cancel' })
    await cancelled.exited
    expect(cancelled.messages.at(-1)).toEqual({ type: 'cancelled' })
  })
})
