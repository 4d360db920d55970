/** Every name of the contract over a real workspace, the real worker and a real model: good input, bad input, abort. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMonoscope, type Monoscope } from '../../src/main/monoscope'
import { contract, type MonoscopeClient, type MonoscopeContract } from '../../src/shared/contract'
import type { RunEvent } from '../../src/shared/contract/runs'
import type { AppStatus } from '../../src/shared/contract/app'
import type { AppError } from '../../src/shared/errors'
import { connect, memoryWire, serve } from '../../src/shared/wire'
import {
  buildEntries,
  missingModel,
  modelFolder,
  removeEntries,
  smallCorpus,
  tinyConfig,
  workerPath,
} from '../fixtures/built'
import type { HubServer } from '../fixtures/hub-server'
import { downloadThings, standInForHub, switchHub } from './hub-cases'
import { collectActivations, trainOnActivations } from './activation-cases'
import { startDemo } from './demo-cases'
import { compareTwo } from './compare-cases'
import { evaluateSae } from './evaluation-cases'
import { askModel, readDataset } from './library-cases'
import { mapFeatures } from './map-cases'
import { MISSING_THINGS } from './missing-things'
import { compareWithNeurons } from './neuron-cases'
import { changeTag, judgeLabel, keepNotes, readOwnText, searchByPrompts } from './feature-cases'
import { forecastTraining } from './forecast-cases'
import { changeFiles } from './stale-cases'
import { cancelTraining, resumeTraining } from './resume-cases'

const names = Object.keys(contract) as (keyof MonoscopeContract)[]
const asked = new Set<string>()
let folder = ''
let monoscope: Monoscope
let hub: HubServer | null = null
let client: MonoscopeClient

beforeAll(async () => {
  await buildEntries()
  folder = await mkdtemp(join(tmpdir(), 'monoscope-contract-'))
  process.env.MONOSCOPE_BACKEND = 'wasm'
  if (!missingModel) hub = await standInForHub(folder)
  const choosePath = () => Promise.resolve('/chosen')
  const options = {
    folder: join(folder, 'workspace'),
    workerPath,
    demoFolder: resolve(import.meta.dirname, '../../resources/demo'),
    host: 'desktop' as const,
    version: '0.0.0',
    choosePath,
  }
  monoscope = await openMonoscope(options)
  const wire = memoryWire()
  serve(wire.b, contract, monoscope.handlers, {
    checkOutputs: true,
    onUnexpected: (error, name) => process.stderr.write(`${name}: ${String(error)}\n`),
  })
  const plain = connect<MonoscopeContract>(wire.a)
  client = {
    call: (name, ...rest) => {
      asked.add(name)
      return plain.call(name, ...rest)
    },
    feed: (name, ...rest) => {
      asked.add(name)
      return plain.feed(name, ...rest)
    },
  }
})

afterAll(async () => {
  await monoscope.close()
  await hub?.close()
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

/** All values of a feed until it ends. */
function valuesOf<T>(start: (onNext: (value: T) => void, onEnd: (error?: AppError) => void) => unknown): Promise<T[]> {
  const values: T[] = []
  return new Promise((resolve, reject) =>
    start(
      (value) => values.push(value),
      (error) => (error ? reject(error) : resolve(values)),
    ),
  )
}

describe('bad input', () => {
  it.each(names)('%s refuses what does not fit its schema', async (name) => {
    // Every input is an object.
    const bad = null as never
    const isFeed = contract[name].kind === 'feed'
    const failure = isFeed
      ? valuesOf((next, end) => client.feed(name as 'app.watchStatus', bad, next, end))
      : client.call(name as 'app.info', bad)
    await expect(failure).rejects.toMatchObject({ code: 'invalid-input', details: { name } })
  })

  it('refuses a name that does not exist, inherited ones included', async () => {
    for (const name of ['models.steal', 'constructor', '__proto__', 'toString']) {
      await expect(client.call(name as 'app.info', {})).rejects.toMatchObject({ code: 'unknown-call' })
    }
  })

  it.each(MISSING_THINGS)('%s says that a thing does not exist', async (name, input) => {
    await expect(client.call(name as 'runs.get', input as { runId: number })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe.skipIf(missingModel)('the whole line on a real model', () => {
  let saeId = 0
  let runId = 0
  let datasetId = 0
  let modelId = 0
  // Only what is asked well from here on counts for the last test.
  beforeAll(() => asked.clear())

  it('knows itself', async () => {
    expect(await client.call('app.warmUp', {})).toMatchObject({ name: 'wasm' })
    expect(await client.call('app.info', {})).toMatchObject({
      host: 'desktop',
      hasDialogs: true,
      backend: { name: 'wasm' },
    })
    expect(await client.call('app.choosePath', { what: 'textFile' })).toBe('/chosen')
  })

  it('adds a model and a text, once', async () => {
    const model = await client.call('models.add', { path: modelFolder })
    expect(model).toMatchObject({ name: 'stories260K', family: 'llama', layers: 5, dModel: 64, vocabulary: 512 })
    expect(await client.call('models.add', { path: `${modelFolder}/` })).toEqual(model)
    const corpus = smallCorpus(join(folder, 'stories.jsonl'), 60)
    const dataset = await client.call('datasets.add', { path: corpus, name: 'stories' })
    expect(dataset).toMatchObject({ documents: 60, format: 'jsonl', name: 'stories' })
    expect(await client.call('models.list', {})).toEqual([model])
    expect(await client.call('datasets.list', {})).toEqual([dataset])
    const start = { modelId: model.id, textStart: 'none' as const }
    expect(model).toMatchObject({ textStart: 'own', startTokens: { own: '<s>', bos: '<s>' } })
    const firstOf = async () => (await client.call('lm.read', { modelId: model.id, text: 'a', top: 1 })).tokens[0]?.id
    expect(await firstOf()).toBe(1)
    expect(await client.call('models.setTextStart', start)).toEqual({ ...model, textStart: 'none' })
    expect(await firstOf()).not.toBe(1)
    expect(await client.call('models.setTextStart', { ...start, textStart: 'own' })).toEqual(model)
    await expect(client.call('models.add', { path: folder })).rejects.toMatchObject({ code: 'model-config-missing' })
    ;[modelId, datasetId] = [model.id, dataset.id]
  })

  it('trains, with live points, and builds the atlas after it', async () => {
    const config = tinyConfig(modelId, datasetId, 30)
    const run = await client.call('runs.start', { name: 'tiny', config })
    runId = run.id
    await expect(client.call('runs.remove', { runId })).rejects.toMatchObject({ code: 'in-use' })
    const events = await valuesOf<RunEvent>((next, end) => client.feed('runs.watch', { runId }, next, end))
    expect(events.at(-1)?.run).toMatchObject({
      state: 'done',
      step: 30,
      steps: 30,
      failure: null,
      backend: { name: 'wasm' },
    })
    const steps = events.flatMap(({ points }) => points.map(({ step }) => step))
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
    expect(steps.at(-1)).toBe(30)
    const atlas = (await client.call('jobs.list', {})).find(({ kind }) => kind === 'atlas')
    const jobs = await valuesOf((next, end) => client.feed('jobs.watch', { jobId: atlas?.id ?? 0 }, next, end))
    expect(jobs.at(-1)).toMatchObject({ state: 'done', failure: null })
    const [sae] = await client.call('saes.list', {})
    expect(sae).toMatchObject({ runId, partial: false, dSae: 64, atlas: { datasetId, documents: 60 } })
    expect(sae?.summary?.explainedVariance).toBeGreaterThan(0.2)
    saeId = sae?.id ?? 0
    expect(await client.call('runs.list', {})).toEqual([await client.call('runs.get', { runId })])
  })

  it('finds nothing to compare where there is one autoencoder', async () => {
    expect(await client.call('features.across', { saeId, featureIndex: 0 })).toEqual({ others: [], leftOut: [] })
    await expect(client.call('features.across', { saeId, featureIndex: 64 })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
  it('says which files changed under an atlas', () => changeFiles(client, { saeId, datasetId }))
  it('evaluates it with the whole model', () => evaluateSae(client, { saeId, datasetId }))

  it('lists, labels, tags and flags features', async () => {
    const page = await client.call('features.list', { saeId, sort: 'max', descending: true, limit: 5 })
    expect(page.rows).toHaveLength(5)
    expect(page.total).toBe(64)
    const featureIndex = page.rows[0]?.featureIndex ?? 0
    const feature = { saeId, featureIndex }
    await client.call('features.label', { ...feature, text: '=the strongest, "of all"', author: 'me' })
    const { added, ...tag } = await client.call('features.tag', { saeId, featureIndexes: [featureIndex], name: 'loud' })
    expect(added).toEqual([featureIndex])
    const flag = await client.call('safety.assign', { ...feature, category: 'politics', reason: 'a test' })
    const detail = await client.call('features.get', feature)
    expect(detail).toMatchObject({ label: '=the strongest, "of all"', tags: [tag], safety: [flag] })
    const [strongest] = detail.contexts
    // Values around the peak are kept in half precision.
    expect((strongest?.spans[strongest.peak]?.value ?? 0) / (strongest?.value ?? -1)).toBeCloseTo(1, 3)
    expect(detail.intervals.reduce((sum, { firedTokens }) => sum + firedTokens, 0)).toBe(detail.firedTokens)
    expect(detail.intervals.length).toBeGreaterThanOrEqual(5)
    for (const { from, to, firedTokens, contexts } of detail.intervals) {
      expect(contexts.length).toBe(Math.min(10, firedTokens))
      expect(contexts.every(({ value }) => value >= from && value <= to)).toBe(true)
    }
    expect(detail.together.sampledTokens).toBe(Math.min(64, detail.firedTokens))
    expect(new Set(detail.contexts.map(({ documentIndex }) => documentIndex)).size).toBe(detail.contexts.length)
    const { neighbours, logits } = detail.weights
    expect(neighbours).toHaveLength(20)
    expect(neighbours.map(({ featureIndex: other }) => other)).not.toContain(featureIndex)
    expect(neighbours.map(({ cosine }) => cosine)).toEqual(
      neighbours.map(({ cosine }) => cosine).toSorted((a, b) => b - a),
    )
    // The feature is its neighbours' neighbour by the same cosine, unless twenty others are nearer to them.
    const [nearest] = neighbours
    const back = await client.call('features.get', { saeId, featureIndex: nearest?.featureIndex ?? 0 })
    const self = back.weights.neighbours.find(({ featureIndex: other }) => other === featureIndex)
    if (self) expect(self.cosine).toBeCloseTo(nearest?.cosine ?? 2, 5)
    expect(logits?.top).toHaveLength(10)
    expect(logits?.bottom).toHaveLength(10)
    expect(logits?.histogram.reduce((sum, count) => sum + count, 0)).toBe(512)
    expect(await client.call('tags.list', { saeId })).toEqual([{ ...tag, category: '', count: 1 }])
    await changeTag(client, { saeId, tag })
    expect(await client.call('safety.list', { saeId, category: 'politics' })).toMatchObject([
      { flag, feature: { featureIndex } },
    ])
    await expect(client.call('features.label', { saeId, featureIndex: 64, text: 'x' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('lays features out on a map', () => mapFeatures(client, saeId))
  it('holds features against neurons', () => compareWithNeurons(client, { saeId, datasetId }))

  it('finds features by prompts', () => searchByPrompts(client, saeId))

  it('reads a text, writes on, and stops when the asker goes', () => askModel(client, modelId))

  it('shows and counts a text', () => readDataset(client, { datasetId, modelId }))

  it('downloads a model and a dataset', () => downloadThings(client, folder))

  it('reaches the hub only while it may, and keeps no token without a keychain', () => switchHub(client, folder))

  it('exports catalogs and never overwrites one', async () => {
    const jsonl = await client.call('catalog.export', { saeId, format: 'jsonl' })
    const text = readFileSync(jsonl.path, 'utf8')
    expect(Buffer.byteLength(text)).toBe(jsonl.bytes)
    const [head, ...features] = text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(head).toMatchObject({
      format: 'monoscope-catalog-2',
      model: { name: 'stories260K' },
      seed: 1,
      sae: { dSae: 64 },
    })
    expect(features).toHaveLength(jsonl.features)
    expect(features).toContainEqual(expect.objectContaining({ label: '=the strongest, "of all"', tags: ['loud'] }))
    const again = await client.call('catalog.export', { saeId, format: 'jsonl' })
    expect(again.path).not.toBe(jsonl.path)
    expect(readFileSync(jsonl.path, 'utf8')).toBe(text)
    const csv = await client.call('catalog.export', {
      saeId,
      format: 'csv',
      which: 'labelled',
      folder: join(folder, 'own'),
    })
    expect(csv).toMatchObject({ features: 1 })
    expect(readFileSync(csv.path, 'utf8')).toContain(`,"'=the strongest, ""of all""",loud,politics: a test,`)
    expect(await client.call('catalog.list', {})).toHaveLength(3)
  })

  it('cancels at once what is aborted, and ends feeds without leaving listeners', async () => {
    const stop = new AbortController()
    const waiting = client.call('app.warmUp', {}, stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    const before = monoscope.changes.size
    const status = await new Promise<AppStatus>((resolve) => {
      const end = client.feed('app.watchStatus', {}, (value) => {
        end()
        resolve(value)
      })
    })
    expect(status.backend).toMatchObject({ name: 'wasm' })
    await expect.poll(() => monoscope.changes.size).toBe(before)
  })

  it('reads one’s own text as the atlas read its own', () => readOwnText(client, saeId))

  it('holds two features against each other', () => compareTwo(client, saeId, 63))
  it('keeps notes, lists and views', () => keepNotes(client, saeId))
  it('judges how well a label fits', () => judgeLabel(client, saeId))

  it('cancels a training and keeps its checkpoint for an atlas', () =>
    cancelTraining(client, tinyConfig(modelId, datasetId, 100_000)))

  it('goes on with a training that was stopped', () => resumeTraining(client, tinyConfig(modelId, datasetId, 1500)))

  it('forecasts a training', () => forecastTraining(client, tinyConfig(modelId, datasetId, 20)))

  it('collects activations', async () => {
    await collectActivations(client, { modelId, datasetId }, join(folder, 'workspace'))
  })

  it('trains on activations from disk', () =>
    trainOnActivations(client, { modelId, datasetId }, join(folder, 'workspace')))

  it('removes what is no longer used', async () => {
    const [entry] = await client.call('safety.list', { saeId, category: 'politics' })
    const [tag] = await client.call('tags.list', { saeId })
    const featureIndex = entry?.feature.featureIndex ?? 0
    await client.call('features.untag', { saeId, featureIndexes: [featureIndex], tagId: tag?.id ?? 0 })
    await client.call('safety.remove', { flagId: entry?.flag.id ?? 0 })
    expect((await client.call('safety.counts', { saeId })).every(({ count }) => count === 0)).toBe(true)
    await expect(client.call('models.remove', { modelId })).rejects.toMatchObject({ code: 'in-use' })
    for (const { id } of await client.call('runs.list', {})) await client.call('runs.remove', { runId: id })
    await client.call('datasets.remove', { datasetId })
    await client.call('models.remove', { modelId })
    expect(await client.call('models.list', {})).toEqual([])
  })

  it('starts the bundled demo', () => startDemo(client))

  it('left out no name of the contract', () => {
    expect(names.filter((name) => !asked.has(name))).toEqual([])
  })
})
