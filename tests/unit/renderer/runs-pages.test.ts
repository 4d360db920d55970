// @vitest-environment happy-dom
/** What the pages do with a click: the question before work is lost, and forms that say what is wrong. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { AppError } from '../../../src/shared/errors'
import { FakeLmHost as FakeHost } from './fake-lm'
import { makeDataset, makeModel, makeRun } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeHost
  const client: FakeHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})
// happy-dom has no canvas; the curves are looked at in the browser.
vi.mock('../../../src/renderer/charts/LineChart.vue', () => ({ default: defineComponent(() => () => null) }))

const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: LibraryPage } = await import('../../../src/renderer/views/library/LibraryPage.vue')
const { default: NewRunPage } = await import('../../../src/renderer/views/runs/NewRunPage.vue')
const { default: RunsPage } = await import('../../../src/renderer/views/runs/RunsPage.vue')

const { useRuns } = await import('../../../src/renderer/views/runs/runs.store')

let host: FakeHost
let pinia: Pinia
let router: Router
let unmount: () => void = () => undefined

beforeEach(() => {
  host = new FakeHost()
  bridge.host = host
  pinia = createPinia()
  setActivePinia(pinia)
  chooseLanguage('en')
  router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/runs/:runId(\\d+)', component: RunsPage },
      { path: '/:rest(.*)*', component: LibraryPage },
    ],
  })
})
afterEach(() => unmount())

async function show(page: typeof RunsPage, path: string) {
  await router.push(path)
  const wrapper = mount(page, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  unmount = () => wrapper.unmount()
  await flushPromises()
  await flushPromises()
  return wrapper
}

const names = () => host.calls.map(({ name }) => name)
const button = (text: string) => {
  const found = [...document.querySelectorAll('button')].filter((one) => one.textContent.trim() === text).at(-1)
  if (!found) throw new Error(`no button "${text}"`)
  return found
}
async function click(text: string) {
  button(text).click()
  await flushPromises()
}

/** Presses the button that the open question warns about. */
const confirm = () =>
  vi.waitFor(() => {
    const danger = document.querySelector<HTMLButtonElement>('[role="alertdialog"] .btn.danger')
    if (!danger) throw new Error('no question is open')
    danger.click()
  })

describe('runs', () => {
  it('stops a run only after the question', async () => {
    host.runs = [makeRun(1, { step: 30, tokensPerSecond: 1000 })]
    await show(RunsPage, '/runs/1')
    await vi.waitFor(() => button('Stop and keep'))
    await click('Stop and keep')
    expect(document.querySelector('[role="alertdialog"]')?.textContent).toContain('step 30')
    await click('Cancel')
    expect(names()).not.toContain('runs.cancel')
    await click('Stop and keep')
    await confirm()
    await vi.waitFor(() => expect(names()).toContain('runs.cancel'))
  })

  it('removes an ended run after the question, and shows a failure in words', async () => {
    const failure = { code: 'worker-crashed', message: '', details: { reason: 'SIGKILL', step: 7 } }
    host.runs = [makeRun(1, { state: 'failed', failure })]
    const page = await show(RunsPage, '/runs/1')
    await vi.waitFor(() => expect(page.text()).toContain('SIGKILL'))
    await click('Remove')
    await confirm()
    await vi.waitFor(() => expect(page.text()).toContain('No run yet'))
    expect(names()).toContain('runs.remove')
  })

  it('offers to go on with a run that left a checkpoint, and says at which step', async () => {
    host.runs = [makeRun(1, { state: 'failed', canResume: true, resumeStep: 1250 }), makeRun(2, { state: 'failed' })]
    const page = await show(RunsPage, '/runs/1')
    await vi.waitFor(() => expect(page.text()).toContain('at step 1,250 of 2,000'))
    await click('Resume')
    await vi.waitFor(() => expect(names()).toContain('runs.resume'))
    await vi.waitFor(() => expect(() => button('Resume')).toThrow('no button'))
    await router.push('/runs/2')
    await vi.waitFor(() => button('Remove'))
    expect(() => button('Resume')).toThrow('no button')
  })

  it('shows the newest run, and stays there when another one starts', async () => {
    host.runs = [makeRun(1, { state: 'done' }), makeRun(2, { state: 'done' })]
    const page = await show(RunsPage, '/runs')
    await vi.waitFor(() => expect(page.find('.detail h2').text()).toBe('run-2'))
    host.runs = [...host.runs, makeRun(3)]
    await useRuns().load()
    await flushPromises()
    expect(page.findAll('.runcard')).toHaveLength(3)
    expect(page.find('.detail h2').text()).toBe('run-2')
  })

  it('moves with j and k', async () => {
    host.runs = [makeRun(1, { state: 'done' }), makeRun(2, { state: 'done' })]
    await show(RunsPage, '/runs/2')
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'j' }))
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/runs/1'))
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'k' }))
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/runs/2'))
  })
})

describe('library', () => {
  it('shows the way in, then what was added', async () => {
    const page = await show(LibraryPage, '/library')
    expect(page.text()).toContain('Read the features inside a language model')
    const field = page.find('input')
    await field.setValue('/models/a')
    await click('Add model')
    await vi.waitFor(() => expect(page.text()).toContain('model-1'))
    expect(page.text()).toContain('260,032')
    expect(page.text()).toContain('No text yet')
    expect(page.find('a[href="/runs/new"]').exists()).toBe(false)
  })

  it('says below the field why a folder was refused', async () => {
    host.failing.set('models.add', new AppError('tokenizer-missing', { path: '/models/b' }))
    const page = await show(LibraryPage, '/library')
    await page.find('input').setValue('/models/b')
    await click('Add model')
    await vi.waitFor(() => expect(page.find('.hint.bad').text()).toContain('/models/b has no tokenizer.json'))
    expect(page.find('input').attributes('aria-invalid')).toBe('true')
  })

  it('removes after the question', async () => {
    host.models = [makeModel(1)]
    host.datasets = [makeDataset(1)]
    const page = await show(LibraryPage, '/library')
    expect(page.find('a[href="/runs/new"]').exists()).toBe(true)
    await page.find('[aria-label="Remove the text text-1 from the library"]').trigger('click')
    await confirm()
    await vi.waitFor(() => expect(names()).toContain('datasets.remove'))
    expect(host.models).toHaveLength(1)
  })
})

describe('new run', () => {
  it('says what is missing', async () => {
    const page = await show(NewRunPage, '/runs/new')
    expect(page.text()).toContain('A run needs a model and a text')
  })

  it('names the limit and a value that works, and starts with Enter once all is well', async () => {
    host.models = [makeModel(1)]
    host.datasets = [makeDataset(1)]
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="contextSize"]').setValue('9999')
    expect(page.text()).toContain('The model reads at most 512 tokens. Use 512 or fewer.')
    expect(page.text()).toContain('Fields to correct: 1')
    await page.find('form').trigger('submit')
    expect(names()).not.toContain('runs.start')
    await page.find('[name="contextSize"]').setValue('128')
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/runs/1'))
    expect(names()).toContain('runs.start')
  })
})
