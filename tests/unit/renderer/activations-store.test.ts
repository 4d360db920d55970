// @vitest-environment happy-dom
/** Activations in the library: the size is told before anything starts, a set is followed to its end, and its errors are shown. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import type { ActivationSet } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { FakeHost, later, makeDataset, makeModel } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', async () => {
  const { ref } = await import('vue')
  const host = () => bridge.host as FakeHost
  const client: FakeHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: ref('open') }
})
const { i18n } = await import('../../../src/renderer/app/i18n')
const { default: ActivationsSection } = await import('../../../src/renderer/views/library/ActivationsSection.vue')
const { pointsOf, useActivations } = await import('../../../src/renderer/views/library/activations.store')

const makeSet = (change: Partial<ActivationSet> = {}): ActivationSet => ({
  ...{ id: 1, name: 'a set', modelId: 1, modelName: 'm', datasetId: 2, datasetName: 'd', hookNames: ['hook_embed'] },
  ...{ contextSize: 64, tokens: 1000, storedTokens: 0, dIn: 8, bytes: 0, seed: 0, state: 'running', jobId: 7 },
  ...{ done: 10, total: 1050, failure: null, createdAt: '2026-01-01T00:00:00Z' },
  ...change,
})

class ActivationsHost extends FakeHost {
  sets: ActivationSet[] = []
  quote = { tokens: 1050, bytes: 5000, freeBytes: 9000 }
  asked: unknown[] = []

  protected override handlers() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a generator has no `this` of its own
    const host = this
    return {
      ...super.handlers(),
      'activations.list': () => later(() => this.sets),
      'activations.quote': (input: unknown) => later(() => (this.asked.push(input), this.quote)),
      'activations.start': (input: unknown) =>
        later(() => {
          this.asked.push(input)
          this.sets = [makeSet()]
          return this.sets[0]
        }),
      'activations.remove': () => later(() => ((this.sets = []), null)),
      'jobs.watch': async function* () {
        yield await host.job(10)
        host.sets = [makeSet({ state: 'done', storedTokens: 1050, bytes: 5000 })]
        yield await host.job(1050)
      },
    }
  }

  private job(done: number) {
    return later(() => ({
      ...{ id: 7, kind: 'collect', state: 'running', runId: null, saeId: null, title: 'a set', done, total: 1050 },
      ...{ tokensPerSecond: null, failure: null, createdAt: '', startedAt: null, endedAt: null },
    }))
  }
}

let host: ActivationsHost
beforeEach(() => {
  host = new ActivationsHost()
  bridge.host = host
  setActivePinia(createPinia())
})

function fillForm() {
  const store = useActivations()
  Object.assign(store.form, { modelId: 1, datasetId: 2, blocks: [2, 0], tokens: '1000', contextSize: '64' })
  return store
}
const hookNames = ['blocks.0.hook_resid_post', 'blocks.2.hook_resid_post']
const wanted = { modelId: 1, datasetId: 2, hookNames, tokens: 1000, contextSize: 64 }

it('tells the size of what the form says, and forgets it when that changes', async () => {
  const store = fillForm()
  await store.reckon()
  expect(host.asked).toEqual([wanted])
  expect(store.quote).toEqual(host.quote)
  store.form.tokens = '2000'
  await vi.waitFor(() => expect(store.quote).toBeNull())
})

it.each([{ blocks: [] }, { tokens: '15' }, { tokens: '1e6' }, { contextSize: '5000' }, { contextSize: '' }])(
  'asks for nothing while the form says %o',
  async (change) => {
    const store = fillForm()
    Object.assign(store.form, change)
    expect(store.wanted).toBeNull()
    await store.reckon()
    await store.start()
    expect(host.asked).toEqual([])
  },
)

it('starts, and follows the set to its end', async () => {
  const store = fillForm()
  await store.start()
  expect(host.asked[0]).toMatchObject(wanted)
  await vi.waitFor(() => expect(store.sets).toMatchObject([{ state: 'done', storedTokens: 1050 }]))
  await store.remove(1)
  expect(store.sets).toEqual([])
})

it('goes on with a set in the words it was asked for', async () => {
  const store = useActivations()
  await store.goOn(makeSet({ state: 'interrupted', seed: 5 }))
  const { modelId, datasetId, tokens, contextSize } = makeSet()
  expect(host.asked).toEqual([{ modelId, datasetId, hookNames: ['hook_embed'], tokens, contextSize, seed: 5 }])
})

it('shows what was refused where it was asked', async () => {
  const store = fillForm()
  host.failing.set('activations.start', new AppError('activations-no-room', { needed: 10, free: 5 }))
  await store.start()
  expect(store.formError).toMatchObject({ code: 'activations-no-room' })
  host.failing.set('activations.remove', new AppError('in-use', { what: 'activations', id: 1, users: 'a run' }))
  await store.remove(1)
  expect(store.error).toMatchObject({ code: 'in-use' })
})

it('offers places that are as wide as the model', () => {
  const points = pointsOf(makeModel(1))
  expect(points).toContain('hook_resid_post')
  expect(points).not.toContain('mlp.hook_post')
  expect(pointsOf({ ...makeModel(1), absentHooks: ['hook_resid_mid'] })).not.toContain('hook_resid_mid')
})

it('shows a set and its failure, and asks for the size before it starts another', async () => {
  host.sets = [
    makeSet({
      state: 'failed',
      failure: { code: 'dataset-too-small', message: 'x', details: { tokens: 3, needed: 9 } },
    }),
  ]
  const props = { models: [makeModel(1)], datasets: [makeDataset(2)] }
  const page = mount(ActivationsSection, { props, global: { plugins: [i18n] } })
  await flushPromises()
  expect(page.text()).toContain('a set')
  expect(page.text()).toContain('The dataset has 3 usable tokens')
  await page.get('button[aria-expanded="false"]').trigger('click')
  const submit = () => page.get('button[type="submit"]')
  expect(submit().attributes('disabled')).toBeDefined()
  const [first] = page.findAll('input[type="checkbox"]')
  await first?.setValue(true)
  expect(submit().text()).toBe('Show the size')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(page.get('[role="status"]').text()).toBe('1,050 tokens at each place, 5 kB on disk; 9 kB are free.')
  expect(submit().text()).toBe('Collect')
  host.quote = { tokens: 1050, bytes: 9001, freeBytes: 9000 }
  await page.get('input[name="activationsTokens"]').setValue('2000')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(page.get('[role="status"]').text()).toContain('only 9 kB are free')
  expect(submit().text()).toBe('Show the size')
  page.unmount()
})
