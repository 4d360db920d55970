/** Rows of activation sets, what may use and remove them, and the refusal of a set that the disk has no room for. */
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { activationHandlers } from '../../src/main/handlers/activations'
import type { Store } from '../../src/main/store/store'
import { workspacePaths } from '../../src/main/workspace/workspace'
import { configOf, DATASET, MODEL, temporaryFolder, temporaryStore } from '../fixtures/samples'

const HOOK = 'blocks.0.hook_resid_post'

function addSet(store: Store) {
  const { id: modelId } = store.models.add(MODEL)
  const { id: datasetId } = store.datasets.add(DATASET)
  const wanted = { modelId, datasetId, hookNames: [HOOK], contextSize: 16, tokens: 100, dIn: 4, seed: 0 }
  return { set: store.activations.add({ ...wanted, name: 'a set' }), wanted, modelId, datasetId }
}

function addJob(store: Store, activationsId: number) {
  const job = {
    kind: 'collect' as const,
    runId: null,
    saeId: null,
    datasetId: null,
    title: 'x',
    chained: false,
    total: 1,
  }
  return store.jobs.add({ ...job, activationsId })
}

it('a set comes back as it was asked for, once, in the state of its latest job', () => {
  const store = temporaryStore()
  const { set, wanted } = addSet(store)
  expect(set).toMatchObject({
    ...wanted,
    name: 'a set',
    modelName: 'letters',
    state: 'interrupted',
    jobId: null,
    bytes: 0,
  })
  expect(store.activations.add({ ...wanted, name: 'again' })).toEqual(set)
  expect(store.activations.add({ ...wanted, name: 'other', seed: 1 }).id).not.toBe(set.id)
  const first = addJob(store, set.id)
  store.jobs.end(first.id, 'failed')
  const second = addJob(store, set.id)
  expect(store.jobs.queued(second.id)).toMatchObject({ activationsId: set.id, job: { kind: 'collect' } })
  expect(store.activations.get(set.id)).toMatchObject({ state: 'queued', jobId: second.id })
  store.activations.setStored(set.id, { tokens: 105, bytes: 1680 })
  store.jobs.end(second.id, 'done')
  expect(store.activations.list()[1]).toMatchObject({ id: set.id, state: 'done', storedTokens: 105, bytes: 1680 })
})

it('a set stays while its job or a run that is not done needs it', () => {
  const store = temporaryStore()
  const { set, modelId, datasetId } = addSet(store)
  const config = { ...configOf(modelId, datasetId), activationsId: set.id }
  const inUse = expect.objectContaining({ code: 'in-use' }) as Error
  const remove = () => store.activations.remove(set.id)
  expect(() => store.activations.requireFor(config)).toThrow(
    expect.objectContaining({ code: 'activations-incomplete' }),
  )
  const job = addJob(store, set.id)
  expect(remove).toThrow(inUse)
  store.jobs.end(job.id, 'done')
  expect(() => store.activations.requireFor(config)).not.toThrow()
  for (const change of [{ hookName: 'blocks.1.hook_resid_post' }, { modelId: 99 }]) {
    const require = () => store.activations.requireFor({ ...config, ...change })
    expect(require).toThrow(expect.objectContaining({ code: 'activations-unsuitable' }))
  }
  const runId = store.runs.add('a run', config)
  const train = store.jobs.add({
    ...{ kind: 'train', runId, saeId: null, datasetId, title: 'x', chained: false, total: 1 },
  })
  expect(remove).toThrow(inUse)
  store.jobs.end(train.id, 'cancelled')
  expect(remove).toThrow(inUse)
  for (const of of [() => store.models.remove(modelId), () => store.datasets.remove(datasetId)])
    expect(of).toThrow(inUse)
  store.runs.remove(runId)
  remove()
  expect(store.activations.list()).toEqual([])
})

it('a set that does not fit the disk is refused with the numbers', async () => {
  const folder = temporaryFolder()
  const store = temporaryStore(folder)
  const model = store.models.add({ ...MODEL, layers: 100, dModel: 65_536 })
  const dataset = store.datasets.add(DATASET)
  store.datasets.setTokenCount(dataset.id, { modelId: model.id, tokens: 1e12, isExact: false })
  const queue = { startCollecting: vi.fn(), removeActivations: vi.fn() }
  const handlers = activationHandlers({ store, queue, warm: { ask: vi.fn() }, paths: workspacePaths(folder) })
  const hookNames = Array.from({ length: 100 }, (_, layer) => `blocks.${layer}.hook_resid_post`)
  const wanted = { modelId: model.id, datasetId: dataset.id, hookNames, tokens: 2 ** 28, contextSize: 64 }
  const { signal } = new AbortController()
  const quote = await handlers['activations.quote'](wanted, signal)
  expect(quote).toMatchObject({ tokens: 2 ** 28 + 40_000, bytes: (2 ** 28 + 40_000) * 100 * (2 * 65_536 + 8) })
  const refused = handlers['activations.start']({ ...wanted, seed: 0 }, signal)
  await expect(refused).rejects.toMatchObject({ code: 'activations-no-room', details: { needed: quote.bytes } })
  expect(queue.startCollecting).not.toHaveBeenCalled()
  expect(join(folder, 'activations', '3')).toBe(workspacePaths(folder).activations(3))
})
