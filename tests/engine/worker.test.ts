/** The worker process over its real channel: training, cancel, kill, atlas, questions and refusals. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAtlas } from '../../src/main/files/atlas-file'
import { CorpusTokens } from '../../src/main/files/corpus-tokens'
import { openSafetensors } from '../../src/main/files/safetensors'
import { readSaelens, sha256OfFile } from '../../src/main/files/saelens'
import type { TrainSpec } from '../../src/main/jobs/messages'
import { TrainConfig } from '../../src/shared/domain'
import { reportSkip, storiesFolder } from './goldens'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const stories = storiesFolder()
if (!stories) reportSkip('the worker process', 'the stories260K model is absent')
const hookName = 'blocks.2.hook_resid_post'
let root = ''
let entry = ''

beforeAll(async () => {
  if (!stories) return
  root = await mkdtemp(join(tmpdir(), 'monoscope-worker-'))
  entry = await buildWorker()
  const lines = (await readFile(join(stories, 'corpus.jsonl'), 'utf8')).split('\n').slice(0, DOCUMENTS)
  await writeFile(dataset().path, `${lines.join('\n')}\n`)
}, 120_000)
afterAll(async () => {
  if (!stories) return
  await rm(root, { recursive: true })
  await removeWorker()
})

const model = { name: 'stories', path: stories ?? '', sha256: 'a' }
const DOCUMENTS = 200
const dataset = () => ({
  name: 'corpus',
  path: join(root, 'corpus.jsonl'),
  textField: 'text',
  deduplicate: false,
  sha256: 'd'.repeat(64),
})

function trainSpec(name: string, steps: number): TrainSpec {
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName, architecture: 'standard', dSae: 96, l1Coefficient: 1, learningRate: 3e-3 },
    ...{ batchTokens: 256, trainingTokens: 256 * steps, contextSize: 64, bufferTokens: 4096, seed: 3 },
  })
  return { kind: 'train', name, config, model, dataset: dataset(), folder: join(root, name), checkpointMinutes: 10 }
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
/** Name and hash of each file, hashed. */
const settingsHash = (folder: string, names: string[]) =>
  sha256(names.map((name) => `${name} ${sha256(readFileSync(join(folder, name)))}\n`).join(''))

describe.skipIf(!stories)('worker', () => {
  it('trains, then builds an atlas, then answers a search', async () => {
    const spec = trainSpec('whole', 80)
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec })
    expect(await worker.exited).toBe(0)
    expect(worker.messages[0]).toMatchObject({ type: 'ready', backend: { name: 'wasm' } })
    expect(worker.messages.at(-1)).toEqual({ type: 'done' })
    const { sae } = await worker.first('trained')
    expect(sae).toMatchObject({ dIn: 64, dSae: 96, step: 80, final: true, path: join(spec.folder, 'sae') })
    expect(sae.sha256).toBe(await sha256OfFile(join(sae.path, 'sae_weights.safetensors')))
    const points = worker.all('metrics').flatMap((message) => message.points)
    expect(points.map(({ step }) => step)).toEqual(Array.from({ length: 81 }, (_, i) => i))
    expect(points.at(-1)?.explainedVariance).toBe(sae.summary?.explainedVariance)
    expect(sae.summary?.explainedVariance).toBeGreaterThan(0.4)
    const lines = (await readFile(join(spec.folder, 'metrics.jsonl'), 'utf8')).trim().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(points)
    const done = worker.all('progress').map((message) => message.done)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect((await worker.first('checkpoint')).sae).toMatchObject({ step: 4, final: false })
    const state = await openSafetensors(join(spec.folder, 'checkpoint', 'state.safetensors'))
    expect([...state.tensors.keys()]).toContain('adam.second.wDec')
    await state.close()

    const file = join(root, 'atlas.safetensors')
    const tokensFile = join(root, 'tokens.safetensors')
    const second = new TestWorker(entry, 'wasm')
    const atlasSae = { path: sae.path, hookName, contextSize: 64 }
    second.tell({
      type: 'start',
      spec: {
        ...{
          kind: 'atlas',
          model,
          dataset: { ...dataset(), sha256: 'text' },
          sae: atlasSae,
          file,
          tokensFile,
          seed: 0,
        },
        ...{ topContexts: 20, intervalContexts: 10 },
      },
    })
    expect(await second.exited).toBe(0)
    const settings = {
      model: settingsHash(model.path, ['config.json', 'tokenizer.json', 'tokenizer_config.json']),
      sae: settingsHash(sae.path, ['cfg.json']),
    }
    expect((await second.first('atlas')).atlas).toEqual({ file, tokensFile, settings })
    const stored = await readAtlas(file)
    expect(stored).toMatchObject({ documents: DOCUMENTS, dSae: 96 })
    const tokens = CorpusTokens.open(tokensFile)
    expect(tokens.documents).toBe(DOCUMENTS)
    tokens.close()
    // A live SAE's mean L0 over the corpus is near the held-out one.
    const l0 = stored.fired.reduce((sum, fired) => sum + fired, 0) / stored.tokens
    expect(Math.abs(l0 / (sae.summary?.l0 ?? Number.NaN) - 1)).toBeLessThan(0.1)

    const warm = new TestWorker(entry, 'wasm')
    const prompts = [
      { text: 'Once upon a time, there was a little girl', positive: true },
      { text: 'The little dog saw a boy', positive: true },
    ]
    const allowed = new Uint8Array(96).fill(1)
    const input = {
      model,
      sae: { path: sae.path, hookName, contextSize: 64 },
      prompts,
      maxActivations: stored.max,
      allowed,
      limit: 10,
    }
    warm.tell({ type: 'ask', id: 7, name: 'searchPrompts', input })
    const answer = await warm.first('answer')
    expect(answer.id).toBe(7)
    expect(answer.ok).toHaveProperty('matching')
    expect(answer.ok).toHaveProperty('promptIds.length', 2)
    expect(answer.ok).toHaveProperty('promptIds.1.0', 1)
    warm.tell({
      type: 'ask',
      id: 8,
      name: 'searchPrompts',
      input: { ...input, prompts: [{ text: '', positive: true }] },
    })
    expect(await warm.first('answerFailed')).toMatchObject({ id: 8, failure: { code: 'prompt-empty' } })
    warm.disconnect()
    expect(await warm.exited).toBe(0)
  }, 180_000)

  it('gives the same bits when the same job runs again', async () => {
    const hashes: string[] = []
    for (const name of ['once', 'again']) {
      const worker = new TestWorker(entry, 'wasm')
      worker.tell({ type: 'start', spec: trainSpec(name, 40) })
      expect(await worker.exited).toBe(0)
      hashes.push((await worker.first('trained')).sae.sha256)
    }
    expect(hashes[1]).toBe(hashes[0])
  }, 120_000)

  it('cancels between steps and leaves a usable checkpoint', async () => {
    const spec = trainSpec('cancelled', 100_000)
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec })
    await worker.first('metrics')
    worker.tell({ type: 'cancel' })
    expect(await worker.exited).toBe(0)
    expect(worker.messages.slice(-2).map(({ type }) => type)).toEqual(['checkpoint', 'cancelled'])
    const { sae } = await worker.first('checkpoint')
    expect(sae.step).toBeGreaterThan(0)
    expect((await readSaelens(sae.path)).dSae).toBe(96)
  }, 60_000)

  it('killed in the middle of training leaves its last checkpoint usable', async () => {
    const spec = trainSpec('killed', 4000)
    const worker = new TestWorker(entry, 'wasm')
    worker.tell({ type: 'start', spec })
    const { sae } = await worker.first('checkpoint')
    worker.kill()
    await worker.exited
    expect((await readSaelens(sae.path)).dSae).toBe(96)
    expect(await sha256OfFile(join(sae.path, 'sae_weights.safetensors'))).toBe(sae.sha256)
  }, 60_000)

  it('says why it cannot work, and leaves', async () => {
    const failing: [TrainSpec, string][] = [
      [{ ...trainSpec('x', 5), model: { ...model, path: join(root, 'none') } }, 'model-folder-missing'],
      [{ ...trainSpec('x', 5), dataset: { ...dataset(), path: join(root, 'none.jsonl') } }, 'file-missing'],
      [{ ...trainSpec('x', 5), dataset: { ...dataset(), textField: 'body' } }, 'dataset-line-invalid'],
    ]
    const far = trainSpec('x', 5)
    failing.push([{ ...far, config: { ...far.config, hookName: 'blocks.9.hook_resid_post' } }, 'hook-unknown'])
    for (const [spec, code] of failing) {
      const worker = new TestWorker(entry, 'cpu')
      worker.tell({ type: 'start', spec })
      expect(await worker.exited).toBe(0)
      expect(worker.messages.at(-1)).toMatchObject({ type: 'failed', failure: { code } })
    }
  }, 60_000)
})
