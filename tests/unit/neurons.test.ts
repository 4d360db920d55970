/** Features against neurons in main: rows in the store, and the job that measures them. */
import { resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Changes } from '../../src/main/jobs/changes'
import { JobQueue } from '../../src/main/jobs/queue'
import { findRuntime } from '../../src/main/jobs/runtime'
import { specOf } from '../../src/main/jobs/specs'
import { silentLog } from '../../src/main/log'
import { PiecesCache } from '../../src/main/workspace/pieces'
import { workspacePaths } from '../../src/main/workspace/workspace'
import { makeSummary } from '../fixtures/neurons'
import { addSae, configOf, makeAtlas, temporaryFolder, temporaryStore, TEXT } from '../fixtures/samples'

const found = (featureIndex: number, r: number) => ({
  ...{ featureIndex, r, firedTokens: 120 },
  place: r === 0 ? null : { layer: 1, neuron: 10 + featureIndex },
})

it('lists the strongest by |r|, and says of one feature what was found', async () => {
  const store = temporaryStore()
  const { sae, dataset } = addSae(store, 8)
  expect(store.neurons.summary(sae.id)).toBeNull()
  expect(store.neurons.ofFeature(sae.id, 1)).toBeNull()
  await store.atlases.run({ saeId: sae.id, datasetId: dataset.id }, makeAtlas(8), TEXT)
  store.labels.choose(sae.id, 5, 'dogs', '')
  store.neurons.put(sae.id, makeSummary(), [found(1, 0.25), found(2, 0), found(4, 0.5), found(5, -0.75)])
  expect(store.neurons.summary(sae.id)).toEqual(makeSummary())
  const rows = store.neurons.strongest(sae.id, 3)
  expect(rows.map(({ feature, r }) => [feature.featureIndex, r])).toEqual([
    [5, -0.75],
    [4, 0.5],
    [1, 0.25],
  ])
  expect(rows[0]).toMatchObject({ place: { layer: 1, neuron: 15 }, firedTokens: 120, feature: { label: 'dogs' } })
  expect(store.neurons.ofFeature(sae.id, 2)).toEqual({ place: null, r: 0, firedTokens: 120 })
  expect(store.neurons.ofFeature(sae.id, 3)).toBeNull()
})

it('keeps one measurement of an autoencoder, which a newer one replaces and other weights drop', () => {
  const store = temporaryStore()
  const { model, dataset, sae } = addSae(store, 8)
  const runId = store.runs.add('one', configOf(model.id, dataset.id))
  const weights = (sha256: string) => ({ ...store.saes.get(sae.id), runId, sha256 })
  const { id } = store.saes.put(weights('first'))
  store.neurons.put(id, makeSummary(), [found(1, 0.25), found(2, 0.5)])
  store.neurons.put(id, makeSummary({ seed: 9 }), [found(2, 0.125)])
  expect(store.neurons.summary(id)?.seed).toBe(9)
  expect(store.neurons.ofFeature(id, 1)).toBeNull()
  expect(store.neurons.ofFeature(id, 2)?.r).toBe(0.125)
  store.saes.put(weights('first'))
  expect(store.neurons.summary(id)).not.toBeNull()
  store.saes.put(weights('second'))
  expect(store.neurons.summary(id)).toBeNull()
  expect(store.neurons.ofFeature(id, 2)).toBeNull()
})

it('is measured by a job that is told what was asked for and which features fire often enough', async () => {
  const folder = temporaryFolder()
  const paths = workspacePaths(folder)
  const store = temporaryStore(folder)
  const around = { store, paths, changes: new Changes(), log: silentLog(), pieces: new PiecesCache(paths.pieces) }
  const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')
  const queue = new JobQueue({ ...around, workerPath, runtime: findRuntime(), checkpointMinutes: 5 })
  onTestFinished(() => queue.close())
  const { sae, dataset } = addSae(store, 8)
  const place = { saeId: sae.id, datasetId: dataset.id }
  const settings = { features: 3, tokens: 5000, seed: 7 }
  const refuse = (error: object, wanted = place) =>
    expect(() => queue.startNeurons(wanted, settings)).toThrow(expect.objectContaining(error))
  refuse({ code: 'not-found' }, { ...place, saeId: 99 })
  refuse({ code: 'not-found' }, { ...place, datasetId: 99 })
  refuse({ code: 'atlas-missing' })
  const atlas = makeAtlas(8)
  await store.atlases.run(place, { ...atlas, fired: atlas.fired.map(() => 99) }, TEXT)
  refuse({ code: 'neurons-too-few', details: { least: 100 } })
  await store.atlases.run(place, { ...atlas, fired: atlas.fired.map((_, i) => (i % 3 === 1 ? 100 : 99)) }, TEXT)
  const job = store.jobs.add({
    ...{ kind: 'neurons', runId: null, saeId: sae.id, datasetId: dataset.id, title: 'x', chained: false, total: 0 },
    settings,
  })
  expect(specOf(store.jobs.queued(job.id), { store, paths, checkpointMinutes: 5 })).toMatchObject({
    ...{ kind: 'neurons', eligible: [1, 4, 7], settings, seed: sae.seed ?? 0 },
    sae: { path: sae.path, hookName: sae.hookName, contextSize: sae.contextSize },
    dataset: { name: dataset.name, sha256: dataset.sha256 },
  })
})
