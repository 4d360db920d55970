/** A forecast on its way: asked of the warm worker, kept with the run of the same settings, and set beside what that run took. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { runHandlers } from '../../src/main/handlers/runs'
import type { Services } from '../../src/main/handlers/services'
import { Changes } from '../../src/main/jobs/changes'
import { JobQueue } from '../../src/main/jobs/queue'
import { findRuntime } from '../../src/main/jobs/runtime'
import { silentLog } from '../../src/main/log'
import { PiecesCache } from '../../src/main/workspace/pieces'
import { workspacePaths } from '../../src/main/workspace/workspace'
import type { Forecast } from '../../src/shared/domain'
import { configOf, DATASET, MODEL, temporaryFolder, temporaryStore } from '../fixtures/samples'

const FORECAST: Forecast = {
  ...{ seconds: 10, memoryBytes: 1e9, diskBytes: 1e7, collectedTokens: 1000, collectTokensPerSecond: 500, stepMs: 5 },
  ...{ route: 'sparse', denseStepMs: 20, parts: { start: 1, collect: 2, steps: 6, judge: 1 } },
  ...{ freeMemoryBytes: 8e9, freeDiskBytes: 1e11, load: null },
}
const { signal } = new AbortController()

function rooms() {
  const folder = temporaryFolder()
  const paths = workspacePaths(folder)
  const store = temporaryStore(folder)
  const [model, dataset] = [store.models.add(MODEL), store.datasets.add(DATASET)]
  const changes = new Changes()
  const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')
  const queue = new JobQueue({
    ...{ store, paths, changes, workerPath, log: silentLog(), runtime: findRuntime(), checkpointMinutes: 5 },
    pieces: new PiecesCache(paths.pieces),
  })
  onTestFinished(() => queue.close())
  const asked: unknown[] = []
  const warm = {
    ask: (name: string, input: unknown) => {
      asked.push([name, input])
      return Promise.resolve(FORECAST)
    },
  }
  // Run handlers use only these of the services.
  const handlers = runHandlers({ store, queue, changes, paths, warm } as unknown as Services)
  return { paths, store, handlers, asked, dataset, model, config: configOf(model.id, dataset.id) }
}

it('asks with what is known of the text', async () => {
  const { handlers, asked, store, config, dataset, model, paths } = rooms()
  expect(await handlers['runs.forecast']({ config }, signal)).toEqual(FORECAST)
  store.datasets.setTokenCount(dataset.id, { modelId: model.id, tokens: 4321, isExact: true })
  await handlers['runs.forecast']({ config }, signal)
  const common = { config, activations: null, folder: paths.folder }
  expect(asked).toMatchObject([
    ['forecastRun', { ...common, model: { path: model.path }, dataset: { tokens: null, bytes: dataset.bytes } }],
    ['forecastRun', { ...common, dataset: { tokens: 4321 } }],
  ])
})

it('refuses a set that is not there', async () => {
  const { handlers, asked, config } = rooms()
  const failure = (async () => handlers['runs.forecast']({ config: { ...config, activationsId: 9 } }, signal))()
  await expect(failure).rejects.toMatchObject({ code: 'not-found', details: { what: 'activations' } })
  expect(asked).toEqual([])
})

it('keeps the forecast of the very settings, and what the run took', async () => {
  const { handlers, store, config, paths } = rooms()
  await handlers['runs.forecast']({ config }, signal)
  const run = await handlers['runs.start']({ name: 'foreseen', config, atlas: false })
  expect(run).toMatchObject({ forecast: FORECAST, actual: null })
  mkdirSync(join(paths.run(run.id), 'sae'), { recursive: true })
  writeFileSync(join(paths.run(run.id), 'sae', 'weights'), 'seven b')
  await expect.poll(() => store.runs.get(run.id).state, { timeout: 10_000 }).toBe('done')
  const { forecast, actual } = store.runs.get(run.id)
  expect(forecast).toEqual(FORECAST)
  expect(actual).toMatchObject({ peakMemoryBytes: 123_000_000, diskBytes: 7 })
  expect(actual?.seconds).toBeGreaterThan(0)
  const other = await handlers['runs.start']({ name: 'unforeseen', config: { ...config, seed: 77 }, atlas: false })
  expect(other.forecast).toBeNull()
  await expect.poll(() => store.runs.get(other.id).state, { timeout: 10_000 }).toBe('done')
})

it('says nothing of what a run took that did not reach its end', async () => {
  const { handlers, store, config } = rooms()
  const run = await handlers['runs.start']({ name: 'fails', config, atlas: false })
  await expect.poll(() => store.runs.get(run.id).state, { timeout: 10_000 }).toBe('failed')
  expect(store.runs.get(run.id)).toMatchObject({ forecast: null, actual: null })
})
