/** Evaluations in the queue over a scripted worker, and their figures in the store. */
import { resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Changes } from '../../src/main/jobs/changes'
import { JobQueue } from '../../src/main/jobs/queue'
import { findRuntime } from '../../src/main/jobs/runtime'
import { specOf } from '../../src/main/jobs/specs'
import { silentLog } from '../../src/main/log'
import { PiecesCache } from '../../src/main/workspace/pieces'
import { workspacePaths } from '../../src/main/workspace/workspace'
import { QUALITY } from '../fixtures/quality'
import { addSae, configOf, temporaryFolder, temporaryStore } from '../fixtures/samples'

const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')

function rooms() {
  const folder = temporaryFolder()
  const paths = workspacePaths(folder)
  const store = temporaryStore(folder)
  const changes = new Changes()
  const log = silentLog()
  const common = { store, paths, changes, log, workerPath, pieces: new PiecesCache(paths.pieces) }
  const queue = new JobQueue({ ...common, runtime: findRuntime(), checkpointMinutes: 5 })
  onTestFinished(() => queue.close())
  return { store, paths, queue, ...addSae(store, 8) }
}

it('keeps the figures that a worker found, and nothing else of the autoencoder changes', async () => {
  const { store, queue, sae, dataset } = rooms()
  expect(store.saes.get(sae.id).quality).toBeNull()
  const job = queue.startMeasuring('evaluate', { saeId: sae.id, datasetId: dataset.id })
  expect(job).toMatchObject({ kind: 'evaluate', state: 'running', saeId: sae.id })
  await expect.poll(() => store.jobs.get(job.id).state).toBe('done')
  expect(store.jobs.get(job.id)).toMatchObject({ done: 4, total: 4, failure: null })
  const after = store.saes.get(sae.id)
  expect(after.quality).toMatchObject({ explainedVariance: 0.75, ceSpliced: 1.5, datasetName: 'text' })
  expect({ ...after, quality: null }).toEqual(sae)
})

it('tells the worker which seed the autoencoder was trained with, so that the same documents are held out', () => {
  const { store, paths, sae, dataset } = rooms()
  const job = store.jobs.add({
    ...{ kind: 'evaluate', runId: null, saeId: sae.id, datasetId: dataset.id, title: 'x', chained: false, total: 0 },
  })
  const spec = specOf(store.jobs.queued(job.id), { store, paths, checkpointMinutes: 5 })
  const { path, hookName, contextSize } = sae
  expect(spec).toMatchObject({ kind: 'evaluate', seed: sae.seed ?? 0, sae: { path, hookName, contextSize } })
})

it('refuses what does not exist', () => {
  const { queue, sae } = rooms()
  const refusal = (saeId: number, datasetId: number) => () => queue.startMeasuring('evaluate', { saeId, datasetId })
  expect(refusal(99, 1)).toThrow(expect.objectContaining({ code: 'not-found' }))
  expect(refusal(sae.id, 99)).toThrow(expect.objectContaining({ code: 'not-found' }))
})

it('drops the figures of other weights, keeps those of the same, and reads back what it wrote', () => {
  const { store, model, dataset } = rooms()
  const runId = store.runs.add('one', configOf(model.id, dataset.id))
  const weights = (sha256: string, partial = false) => ({ ...store.saes.get(1), runId, sha256, partial })
  const { id } = store.saes.put(weights('first', true))
  store.saes.setQuality(id, QUALITY)
  expect(store.saes.put(weights('first')).quality).toEqual(QUALITY)
  expect(store.saes.put(weights('second')).quality).toBeNull()
})
