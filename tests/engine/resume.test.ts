/** A training whose worker is killed again and again ends with the bits of one that was left alone. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../src/main/engine/train/random'
import { checkpointStep } from '../../src/main/jobs/checkpoints'
import type { TrainSpec } from '../../src/main/jobs/messages'
import { TrainConfig } from '../../src/shared/domain'
import type { BackendName } from '../../src/shared/domain'
import { killWhere } from '../fixtures/stop-process'
import { reportSkip, storiesFolder } from './goldens'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('killed trainings', 'the stories260K model is absent')
/** About 14,000 tokens: the text is read some eight times. */
const DOCUMENTS = 60
const STEPS = 400
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-resume-'))
  entry = await buildWorker()
  const lines = (await readFile(join(stories, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, DOCUMENTS)
  await writeFile(join(root, 'corpus.jsonl'), `${lines.join('\n')}\n`)
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

/** Dead features, AuxK and the threshold of batchtopk are at work, so that all of the state counts. */
function specOf(name: string, checkpointMinutes: number, steps = STEPS): TrainSpec {
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName: 'blocks.2.hook_resid_post', architecture: 'batchtopk', dSae: 128, k: 8 },
    ...{ l1Coefficient: 1, learningRate: 3e-3, batchTokens: 128, trainingTokens: 128 * steps, contextSize: 64 },
    ...{ bufferTokens: 2048, seed: 3, deadTokens: 4096 },
  })
  return {
    ...{ kind: 'train', name, config, folder: join(root, name), checkpointMinutes },
    model: { name: 'stories', path: stories ?? '', sha256: 'a' },
    dataset: {
      name: 'corpus',
      path: join(root, 'corpus.jsonl'),
      textField: 'text',
      deduplicate: false,
      sha256: 'd'.repeat(64),
    },
  }
}

function begin(spec: TrainSpec, backend: BackendName): TestWorker {
  const worker = new TestWorker(entry, backend, { MONOSCOPE_THREADS: '1' })
  worker.tell({ type: 'start', spec: { ...spec, resume: checkpointStep(spec.folder) !== null } })
  return worker
}

/** Hashes of everything a run leaves behind that later work rests on. */
function resultOf({ folder }: TrainSpec) {
  const sha256 = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return {
    sae: sha256('sae/sae_weights.safetensors'),
    state: sha256('checkpoint/state.safetensors'),
  }
}

/** The first two lines of the metrics that differ, each beside the other. */
function differences(one: TrainSpec, other: TrainSpec): [string, string | undefined][] {
  const lines = ({ folder }: TrainSpec) => readFileSync(join(folder, 'metrics.jsonl'), 'utf8').split('\n')
  const others = lines(other)
  return lines(one)
    .map((line, i): [string, string | undefined] => [line, others[i]])
    .filter(([line, beside]) => line !== beside)
    .slice(0, 2)
}

/** Whether a worker is in the middle of writing a folder of that name. */
const isWriting = (folder: string, name: string): boolean => {
  const names = readdirSync(folder, { withFileTypes: true }).map((one) => one.name)
  return names.some((one) => (one.startsWith(`.${name}.`) && one.endsWith('.part')) || one === `${name}.previous`)
}

const PLACES = ['preparing', 'training', 'writing a checkpoint', 'writing an autoencoder'] as const
type Fell = (typeof PLACES)[number]

function whereFell(worker: TestWorker, folder: string): Fell {
  if (worker.all('progress').length === 0) return 'preparing'
  if (isWriting(folder, 'checkpoint')) return 'writing a checkpoint'
  if (isWriting(folder, 'sae-checkpoint') || isWriting(folder, 'sae')) return 'writing an autoencoder'
  return 'training'
}

type Moment = { step: number; place: Fell }

/** Moments all over a run, in the order of its steps; each place has its turn. */
function drawMoments(count: number): Moment[] {
  const random = Random.fromSeed(17)
  const steps = Array.from({ length: count }, () => random.int(Math.floor(0.9 * STEPS))).sort((a, b) => a - b)
  return steps.map((step, i) => ({ step, place: PLACES[(i + 1) % PLACES.length] ?? 'training' }))
}

/** Kills the worker at a step and a place. @returns false when the training was over before */
async function killAt(worker: TestWorker, folder: string, { step, place }: Moment): Promise<boolean> {
  const isThere = () => {
    if (place === 'preparing') return true
    return worker.all('progress').some(({ done }) => done >= step) && whereFell(worker, folder) === place
  }
  const isKilled = await killWhere(worker.pid ?? 0, isThere)
  await worker.exited
  return isKilled
}

async function killedCase(backend: BackendName, kills: number): Promise<void> {
  const whole = specOf(`whole on ${backend}`, 10)
  const alone = begin(whole, backend)
  await alone.exited
  const [refusal] = alone.all('failed')
  if (refusal && backend === 'tensorflow') return reportSkip(`killed trainings on ${backend}`, refusal.failure.message)
  expect(alone.messages.at(-1)).toEqual({ type: 'done' })
  // A checkpoint about every 60 ms.
  const spec = specOf(`killed on ${backend}`, 0.001)
  for (const moment of drawMoments(kills)) {
    expect(await killAt(begin(spec, backend), spec.folder, moment), `${moment.place} after step ${moment.step}`).toBe(
      true,
    )
  }
  const last = begin(spec, backend)
  await last.exited
  expect(last.messages.at(-1)).toEqual({ type: 'done' })
  expect(resultOf(spec)).toEqual(resultOf(whole))
  expect(differences(spec, whole)).toEqual([])
  const names = readdirSync(spec.folder).sort()
  expect(names).toEqual(['checkpoint', 'metrics.jsonl', 'sae', 'sae-checkpoint'])
}

describe.skipIf(!stories || process.platform !== 'linux')(
  'a training that is killed again and again ends as if it had not been',
  () => {
    it('on wasm', () => killedCase('wasm', 8), 150_000)
    it('on tensorflow', () => killedCase('tensorflow', 4), 150_000)
  },
)

describe.skipIf(!stories)('a training goes on', () => {
  /** What a worker says when it is to go on with a run, and how that ended. */
  async function resume(spec: TrainSpec, backend: BackendName = 'wasm') {
    const worker = new TestWorker(entry, backend, { MONOSCOPE_THREADS: '1' })
    worker.tell({ type: 'start', spec: { ...spec, resume: true } })
    await worker.exited
    return { end: worker.messages.at(-1), warnings: worker.all('log').filter(({ level }) => level === 'warn') }
  }

  it('only with what it began with, and from a checkpoint that is whole', { timeout: 120_000 }, async () => {
    const spec = specOf('short', 10, 60)
    const failed = (code: string, details: object) => ({
      end: { type: 'failed', failure: { code, details } },
      warnings: [],
    })
    expect(await resume(spec)).toMatchObject(failed('checkpoint-invalid', { reason: 'state.json is missing' }))
    const first = begin(spec, 'wasm')
    await first.exited
    expect(first.messages.at(-1)).toEqual({ type: 'done' })
    const longer = { ...spec.config, trainingTokens: 128 * 90 }
    const other = (what: string) => failed('checkpoint-other', { what })
    expect(await resume({ ...spec, config: longer })).toMatchObject(other('setting trainingTokens'))
    expect(await resume({ ...spec, model: { ...spec.model, sha256: 'b' } })).toMatchObject(other('model'))
    const path = join(root, 'other.jsonl')
    await writeFile(path, (await readFile(spec.dataset.path, 'utf8')).replaceAll('girl', 'boy'))
    expect(await resume({ ...spec, dataset: { ...spec.dataset, path } })).toMatchObject(other('dataset'))
    const before = resultOf(spec)
    expect(await resume(spec)).toEqual({ end: { type: 'done' }, warnings: [] })
    expect(resultOf(spec)).toEqual(before)
    const elsewhere = await resume(spec, 'cpu')
    expect(elsewhere.end).toEqual({ type: 'done' })
    expect(elsewhere.warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^the backend was "wasm, .* may/),
    ])
    const state = join(spec.folder, 'checkpoint', 'state.safetensors')
    await truncate(state, 5000)
    expect(await resume(spec)).toMatchObject(failed('checkpoint-invalid', {}))
  })
})
