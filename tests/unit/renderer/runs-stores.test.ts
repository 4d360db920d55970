// @vitest-environment happy-dom
/** The stores of Library, Runs and New run over the real wire. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { AppError } from '../../../src/shared/errors'
import { FakeHost, makeDataset, makeJob, makeModel, makeRun, points } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeHost
  const client: FakeHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})

const { useLibrary } = await import('../../../src/renderer/views/library/library.store')
const { useRuns } = await import('../../../src/renderer/views/runs/runs.store')
const { useNewRun } = await import('../../../src/renderer/views/runs/new-run.store')
const { secondsLeft } = await import('../../../src/renderer/views/runs/run-state')

let host: FakeHost
beforeEach(() => {
  host = new FakeHost()
  bridge.host = host
  setActivePinia(createPinia())
})

describe('library', () => {
  it('adds a model and clears the field; a refused path stays with its error', async () => {
    const library = useLibrary()
    library.modelForm.path = ' /models/a '
    expect(await library.addModel()).toBe(true)
    expect(library.models?.map((model) => model.path)).toEqual(['/models/a'])
    expect(library.modelForm.path).toBe('')

    host.failing.set('models.add', new AppError('tokenizer-missing', { path: '/models/b' }))
    library.modelForm.path = '/models/b'
    expect(await library.addModel()).toBe(false)
    expect(library.modelForm).toMatchObject({ path: '/models/b', isBusy: false, error: { code: 'tokenizer-missing' } })
    expect(library.textForm.error).toBeNull()
  })

  it('asks once while an answer is awaited', async () => {
    const library = useLibrary()
    library.modelForm.path = '/models/a'
    const first = library.addModel()
    expect(library.modelForm.isBusy).toBe(true)
    expect(await library.addModel()).toBe(false)
    await first
    expect(host.calls.filter(({ name }) => name === 'models.add')).toHaveLength(1)
  })

  it('adds a text with its field, and takes a path from the dialog', async () => {
    const library = useLibrary()
    await library.chooseText()
    expect(library.textForm.path).toBe('/chosen')
    library.textField = 'story'
    await library.addText()
    expect(library.datasets?.[0]).toMatchObject({ path: '/chosen', textField: 'story' })
  })

  it('keeps an entry whose removal was refused, and says why', async () => {
    host.models = [makeModel(1)]
    host.failing.set('models.remove', new AppError('in-use', { what: 'model', id: 1, users: 'run 1' }))
    const library = useLibrary()
    await library.removeModel(1)
    expect(library.models).toHaveLength(1)
    expect(library.removeError).toMatchObject({ code: 'in-use' })
    host.failing.clear()
    await library.removeModel(1)
    expect(library.models).toHaveLength(0)
    expect(library.removeError).toBeNull()
  })
})

describe('runs', () => {
  it('lists the newest first and fills the curves of the selected one', async () => {
    host.runs = [makeRun(1, { state: 'done' }), makeRun(2)]
    host.measured = points(0, 20)
    const runs = useRuns()
    await runs.load()
    expect(runs.runs.map((run) => run.id)).toEqual([2, 1])
    runs.select(2)
    await vi.waitFor(() => expect(runs.curves.lastStep).toBe(20))
    expect(runs.selected?.id).toBe(2)

    const before = runs.curves
    runs.select(2)
    expect(runs.curves).toBe(before)
    runs.select(1)
    expect(runs.curves).not.toBe(before)
    await vi.waitFor(() => expect(runs.curves.lastStep).toBe(20))
    expect(before.lastStep).toBe(20)
    runs.leave()
  })

  it('takes progress from jobs, and reads again when a state changes or a run is new', async () => {
    host.runs = [makeRun(1)]
    const runs = useRuns()
    await runs.load()
    const lists = () => host.calls.filter(({ name }) => name === 'runs.list').length
    runs.applyJobs([makeJob(10, { done: 500, tokensPerSecond: 2000 }), makeJob(3, { runId: 1, state: 'failed' })])
    await nextTick()
    expect(runs.runs[0]).toMatchObject({ step: 500, tokensPerSecond: 2000 })
    expect(secondsLeft(runs.runs[0]!)).toBeCloseTo((1500 * runs.runs[0]!.config.batchTokens) / 2000)
    expect(lists()).toBe(1)
    runs.applyJobs([makeJob(10, { state: 'done', done: 2000 })])
    expect(lists()).toBe(1)
    await vi.waitFor(() => expect(lists()).toBe(2))
    await vi.waitFor(() => expect(runs.runs[0]?.state).toBe('running'))
    runs.applyJobs([makeJob(20, { runId: 2 })])
    await vi.waitFor(() => expect(lists()).toBe(3))
  })

  it('goes on with a run that ended early, with curves drawn anew; a refusal stays beside it', async () => {
    host.runs = [makeRun(1, { state: 'done', canResume: true, resumeStep: 10 })]
    host.measured = points(0, 20)
    const runs = useRuns()
    await runs.load()
    runs.select(1)
    await vi.waitFor(() => expect(runs.curves.lastStep).toBe(20))
    host.failing.set('runs.resume', new AppError('checkpoint-missing', { id: 1 }))
    expect(await runs.resume(1)).toBe(false)
    expect(runs.changeError).toMatchObject({ code: 'checkpoint-missing' })
    expect(runs.curves.lastStep).toBe(20)
    host.failing.clear()
    host.measured = points(0, 9)
    expect(await runs.resume(1)).toBe(true)
    await vi.waitFor(() => expect(runs.curves.lastStep).toBe(9))
    expect(runs.selected).toMatchObject({ state: 'running', canResume: false })
    host.measured = points(0, 12)
    host.change()
    await vi.waitFor(() => expect(runs.curves.lastStep).toBe(12))
    runs.leave()
  })

  it('reads again when a job goes on with a known run', async () => {
    host.runs = [makeRun(1, { state: 'cancelled' })]
    const runs = useRuns()
    await runs.load()
    const lists = () => host.calls.filter(({ name }) => name === 'runs.list').length
    runs.applyJobs([makeJob(10, { state: 'cancelled' }), makeJob(4, { state: 'failed' })])
    expect(lists()).toBe(1)
    runs.applyJobs([makeJob(10, { state: 'cancelled' }), makeJob(11)])
    await vi.waitFor(() => expect(lists()).toBe(2))
  })

  it('stops and removes; a refusal stays beside the run', async () => {
    host.runs = [makeRun(1)]
    const runs = useRuns()
    await runs.load()
    runs.select(1)
    host.failing.set('runs.cancel', new AppError('job-not-running', { id: 1 }))
    expect(await runs.cancel(1)).toBe(false)
    expect(runs.changeError).toMatchObject({ code: 'job-not-running' })
    host.failing.clear()
    expect(await runs.cancel(1)).toBe(true)
    expect(runs.changeError).toBeNull()
    expect(await runs.remove(1)).toBe(true)
    expect([runs.selectedId, runs.runs.length]).toEqual([null, 0])
  })
})

describe('new run', () => {
  it('proposes settings for the newest model and text, and queues them', async () => {
    host.models = [makeModel(1), makeModel(2, { name: 'wide', dModel: 128, layers: 9 })]
    host.datasets = [makeDataset(1)]
    const store = useNewRun()
    await store.load()
    await nextTick()
    expect(store.form).toMatchObject({ modelId: 2, datasetId: 1, layer: 4, point: 'hook_resid_post', dSae: '1,024' })
    expect(store.form.name).toBe('wide-4-post-1024')
    expect(store.checked.problems).toEqual({})
    const run = await store.start()
    expect(run).toMatchObject({ id: 1, name: 'wide-4-post-1024', state: 'queued' })
    expect(host.calls.at(-1)?.input).toMatchObject({ atlas: true, config: { hookName: 'blocks.4.hook_resid_post' } })
  })

  it('keeps a typed name and typed settings over a reload', async () => {
    host.models = [makeModel(1)]
    host.datasets = [makeDataset(1)]
    const store = useNewRun()
    await store.load()
    await nextTick()
    store.form.name = 'mine'
    store.form.dSae = '256'
    await nextTick()
    await store.load()
    await nextTick()
    expect([store.form.name, store.form.dSae]).toEqual(['mine', '256'])
  })

  it('takes the settings of a run, and does not start with a problem', async () => {
    host.models = [makeModel(1)]
    host.datasets = [makeDataset(1)]
    const run = makeRun(1)
    host.runs = [{ ...run, config: { ...run.config, dSae: 300, seed: 5 } }]
    const store = useNewRun()
    await store.load()
    await store.copyFrom(1)
    expect([store.form.dSae, store.form.seed]).toEqual(['300', '5'])
    store.form.seed = '-1'
    expect(await store.start()).toBeNull()
    expect(host.calls.some(({ name }) => name === 'runs.start')).toBe(false)
  })

  it('never stays on a point that the model lacks', async () => {
    host.models = [makeModel(1), makeModel(2, { absentHooks: ['hook_resid_mid'] })]
    host.datasets = [makeDataset(1)]
    const store = useNewRun()
    await store.load()
    store.form.modelId = 1
    store.form.point = 'hook_resid_mid'
    expect(store.form.point).toBe('hook_resid_mid')
    store.form.modelId = 2
    expect(store.form.point).toBe('hook_resid_post')
    store.form.point = 'hook_resid_mid'
    expect(store.form.point).toBe('hook_resid_post')
  })

  it('has no choices in an empty workspace', async () => {
    const store = useNewRun()
    await store.load()
    expect([store.form.modelId, store.checked.config, store.cost]).toEqual([null, null, null])
  })
})
