/** The evaluation job in its own process: an autoencoder that loses nothing, one that gives nothing, a cancel and a refusal. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SaeQuality } from '../../src/shared/domain'
import { reportSkip, storiesFolder } from './goldens'
import { signSpec, writeSignSae } from './sign-sae'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('the evaluating process', 'the stories260K model is absent')
const hookName = 'blocks.2.hook_resid_post'
const D_IN = 64
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-evaluate-'))
  entry = await buildWorker()
  const lines = (await readFile(join(stories, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, 60)
  await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

const writeSae = (name: string, gain: number, monoscope?: Record<string, number | string>): Promise<string> =>
  writeSignSae(join(root, name), { hookName, gain, dIn: D_IN, ...(monoscope && { monoscope }) })

const specOf = (path: string) => signSpec(path, { stories: stories ?? '', root, hookName })

async function evaluate(path: string, spec = specOf(path)) {
  const worker = new TestWorker(entry, 'wasm')
  worker.tell({ type: 'start', spec })
  expect(await worker.exited).toBe(0)
  expect(worker.messages.at(-1)).toEqual({ type: 'done' })
  const progress = worker.all('progress')
  expect(progress.at(-1)?.done).toBe(progress.at(-1)?.total)
  return SaeQuality.parse((await worker.first('evaluated')).quality)
}

describe.skipIf(!stories)('the evaluating process', () => {
  it('measures an autoencoder of another program on a text of one window', async () => {
    const path = await writeSae('foreign', 1, {})
    const short = join(root, 'short.txt')
    await writeFile(short, 'Once upon a time, there was a little girl.')
    const dataset = { name: 'short', path: short, textField: null, deduplicate: false, sha256: 'd'.repeat(64) }
    const quality = await evaluate(path, { ...specOf(path), dataset })
    expect(quality.explainedVariance).toBeCloseTo(1, 4)
  }, 60_000)

  it('finds nothing lost by an autoencoder that passes everything on', async () => {
    const quality = await evaluate(await writeSae('whole', 1))
    expect(quality).toMatchObject({ datasetName: 'corpus', l0: D_IN, silentFraction: 0 })
    expect(quality.tokens).toBeGreaterThan(100)
    for (const key of ['explainedVariance', 'shrinkage', 'cosine', 'l2Ratio', 'ceRecovered', 'klScore'] as const)
      expect(quality[key]).toBeCloseTo(1, 4)
    expect(quality.normalisedMse).toBeCloseTo(0, 6)
    expect(quality.kl).toBeCloseTo(0, 5)
    expect(quality.ceClean).toBeLessThan(quality.ceMean)
    expect(quality.ceMean).toBeLessThan(quality.ceZero)
    // Every feature fires on some token; half of them on each.
    expect(quality.densityHistogram.reduce((sum, count) => sum + count, 0)).toBe(2 * D_IN)
  }, 60_000)

  it('says that a text is held out only where the folder says how, and of that very text', async () => {
    const how = { sink_norm: 1e9, held_out_rule: 2, held_out_seed: 3 }
    const known = await writeSae('known', 1, { ...how, dataset_sha256: 'd'.repeat(64) })
    expect(await evaluate(known)).toMatchObject({ isHeldOut: true })
    const other = await writeSae('other', 1, { ...how, dataset_sha256: 'e'.repeat(64) })
    expect(await evaluate(other)).toMatchObject({ isHeldOut: false })
    expect(await evaluate(await writeSae('silent', 1, { sink_norm: 1e9 }))).toMatchObject({ isHeldOut: false })
  }, 60_000)

  it('finds everything lost by an autoencoder that gives zeros', async () => {
    const quality = await evaluate(await writeSae('nothing', 0))
    expect(quality).toMatchObject({ normalisedMse: 1, l0: 0, l1: 0, silentFraction: 1, ceRecovered: 0, klScore: 0 })
    expect(quality.ceSpliced).toBe(quality.ceZero)
    expect(quality.explainedVariance).toBeLessThan(0)
  }, 60_000)

  it('sends no figures when it is cancelled', async () => {
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec: specOf(await writeSae('cancelled', 1)) })
    worker.tell({ type: 'cancel' })
    expect(await worker.exited).toBe(0)
    expect(worker.messages.at(-1)).toEqual({ type: 'cancelled' })
    expect(worker.all('evaluated')).toEqual([])
  }, 60_000)

  it('refuses an autoencoder that is not there', async () => {
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec: specOf(join(root, 'none')) })
    expect(await worker.exited).toBe(0)
    expect(worker.messages.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'sae-invalid' } })
  }, 60_000)
})
