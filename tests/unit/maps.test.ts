/** Maps of features in main: their file, their row in the store, and the job that makes them. */
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readMap, writeMap } from '../../src/main/files/map-file'
import { writeSafetensors } from '../../src/main/files/safetensors'
import { Changes } from '../../src/main/jobs/changes'
import { JobQueue } from '../../src/main/jobs/queue'
import { findRuntime } from '../../src/main/jobs/runtime'
import { specOf } from '../../src/main/jobs/specs'
import { silentLog } from '../../src/main/log'
import { PiecesCache } from '../../src/main/workspace/pieces'
import { workspacePaths } from '../../src/main/workspace/workspace'
import { clusterSizes } from '../../src/shared/domain'
import { makeMap } from '../fixtures/feature-map'
import { addSae, configOf, makeAtlas, temporaryFolder, temporaryStore, TEXT } from '../fixtures/samples'

const FEATURES = Int32Array.of(1, 2, 4, 5, 7)

describe('the file of a map', () => {
  it('gives back what was written', async () => {
    const path = join(temporaryFolder(), 'map.safetensors')
    const { parameters, features, positions, clusters } = makeMap(FEATURES, 2)
    const map = {
      parameters,
      features: Int32Array.from(features),
      positions: Float32Array.from(positions),
      clusters: Int32Array.from(clusters),
    }
    await writeMap(path, map)
    expect(await readMap(path)).toEqual(map)
    expect(clusterSizes(map.clusters)).toEqual([3, 2])
  })

  it('is refused when a tensor is missing, of another type or another length', async () => {
    const path = join(temporaryFolder(), 'map.safetensors')
    const { parameters } = makeMap(FEATURES)
    const i32 = (...data: number[]) => ({ dtype: 'I32' as const, shape: [data.length], data: Int32Array.from(data) })
    const f32 = (...data: number[]) => ({ dtype: 'F32' as const, shape: [data.length], data: Float32Array.from(data) })
    const whole = { feature: i32(1, 2), position: f32(0, 0, 1, 1), cluster: i32(0, 0) }
    const own = { format: 'monoscope-map-1', parameters: JSON.stringify(parameters) }
    const bad: [object, Record<string, string>][] = [
      [{ feature: whole.feature, position: whole.position }, own],
      [{ ...whole, cluster: f32(0, 0) }, own],
      [{ ...whole, position: f32(0, 0) }, own],
      [{ ...whole, cluster: i32(0) }, own],
      [whole, { ...own, format: 'monoscope-map-2' }],
      [whole, { ...own, parameters: '{"epochs":"many"}' }],
      [whole, { format: own.format }],
    ]
    for (const [tensors, metadata] of bad) {
      await writeSafetensors(path, tensors as Parameters<typeof writeSafetensors>[1], metadata)
      await expect(readMap(path)).rejects.toMatchObject({ code: 'file-corrupt' })
    }
  })
})

it('keeps one map of an autoencoder, which a newer one replaces and other weights drop', () => {
  const store = temporaryStore()
  const { model, dataset, sae } = addSae(store, 8)
  expect(store.maps.get(sae.id)).toBeNull()
  store.maps.put(sae.id, makeMap(FEATURES, 2))
  expect(store.maps.get(sae.id)).toMatchObject({ ...makeMap(FEATURES, 2), saeId: sae.id })
  store.maps.put(sae.id, makeMap(FEATURES.slice(1), 3))
  expect(store.maps.get(sae.id)).toMatchObject(makeMap(FEATURES.slice(1), 3))

  const runId = store.runs.add('one', configOf(model.id, dataset.id))
  const weights = (sha256: string) => ({ ...store.saes.get(sae.id), runId, sha256 })
  const { id } = store.saes.put(weights('first'))
  store.maps.put(id, makeMap(FEATURES))
  store.saes.put(weights('first'))
  expect(store.maps.get(id)).not.toBeNull()
  store.saes.put(weights('second'))
  expect(store.maps.get(id)).toBeNull()
  store.maps.put(id, makeMap(FEATURES))
  store.runs.remove(runId)
  expect(store.maps.get(id)).toBeNull()
})

it('is made by a job that is told which features never fire', async () => {
  const folder = temporaryFolder()
  const paths = workspacePaths(folder)
  const store = temporaryStore(folder)
  const around = { store, paths, changes: new Changes(), log: silentLog(), pieces: new PiecesCache(paths.pieces) }
  const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')
  const queue = new JobQueue({ ...around, workerPath, runtime: findRuntime(), checkpointMinutes: 5 })
  onTestFinished(() => queue.close())
  const { sae, dataset } = addSae(store, 8)
  expect(() => queue.startMap(99)).toThrow(expect.objectContaining({ code: 'not-found' }))
  expect(() => queue.startMap(sae.id)).toThrow(expect.objectContaining({ code: 'atlas-missing' }))
  await store.atlases.run({ saeId: sae.id, datasetId: dataset.id }, makeAtlas(8), TEXT)
  const job = store.jobs.add({
    ...{ kind: 'map', runId: null, saeId: sae.id, datasetId: null, title: 'x', chained: false, total: 0 },
  })
  expect(specOf(store.jobs.queued(job.id), { store, paths, checkpointMinutes: 5 })).toEqual({
    ...{ kind: 'map', sae: { path: sae.path }, deadFeatures: [0, 3, 6], seed: 0 },
    file: join(paths.sae(sae.id), 'map.safetensors'),
  })
})
