// @vitest-environment happy-dom
/** The forecast on the form, asked for by a button, and beside what the run took on its page. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Forecast } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { FakeHost, later, makeConfig } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeHost
  const client: FakeHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})

const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: RunActual } = await import('../../../src/renderer/views/runs/RunActual.vue')
const { default: RunForecast } = await import('../../../src/renderer/views/runs/RunForecast.vue')

const FORECAST: Forecast = {
  ...{ seconds: 125, memoryBytes: 9e8, diskBytes: 4e7, collectedTokens: 190_000, collectTokensPerSecond: 2500 },
  ...{ stepMs: 12.25, route: 'sparse', denseStepMs: 48, parts: { start: 4, collect: 76, steps: 40, judge: 5 } },
  ...{ freeMemoryBytes: 8e9, freeDiskBytes: 1e11, load: null },
}

/** A host that also measures. */
class MeasuringHost extends FakeHost {
  forecast = FORECAST

  override handlers() {
    return { ...super.handlers(), 'runs.forecast': () => later(() => this.forecast) }
  }
}

let host: MeasuringHost
let unmount: () => void = () => undefined
beforeEach(() => {
  host = new MeasuringHost()
  bridge.host = host
  chooseLanguage('en')
})
afterEach(() => unmount())

const global = { plugins: [createPinia(), i18n] }
function show() {
  const wrapper = mount(RunForecast, { props: { config: makeConfig() }, global, attachTo: document.body })
  unmount = () => wrapper.unmount()
  return wrapper
}

async function measure(page: ReturnType<typeof show>) {
  await page.get('button.btn').trigger('click')
  await flushPromises()
}

it('measures when asked to and shows every figure with its unit', async () => {
  const page = show()
  expect(page.text()).toContain('about two seconds')
  await measure(page)
  expect(host.calls).toEqual([{ name: 'runs.forecast', input: { config: makeConfig() } }])
  for (const figure of [
    ...['2 min 5 s', '900 MB / 8 GB free', '40 MB / 100 GB free', '1 min 16 s', '190,000', '2,500', '40 s', '5.0 s'],
    ...['12 ms, sparse kernels', '48 ms'],
  ])
    expect(page.findAll('dd').map((value) => value.text())).toContain(figure)
  expect(page.findAll('.how')).toHaveLength(page.findAll('dd').length)
  expect(page.find('.note').exists()).toBe(false)
})

it('warns when memory or disk do not suffice, or the speeds are those of a busy machine', async () => {
  host.forecast = { ...FORECAST, freeMemoryBytes: 1e8, freeDiskBytes: 1e6, load: 0.9 }
  const page = show()
  await measure(page)
  expect(page.findAll('.note.caution').map((note) => note.text())).toEqual([
    expect.stringContaining('More RAM'),
    expect.stringContaining('More disk'),
    expect.stringContaining('was busy'),
  ])
})

it('leaves out what the run does not do', async () => {
  host.forecast = { ...FORECAST, collectTokensPerSecond: null, collectedTokens: 0, denseStepMs: null }
  const page = show()
  await measure(page)
  expect(page.text()).not.toContain('Activations')
  expect(page.text()).not.toContain('One step at first')
})

it('shows no forecast of other settings, and none of settings that do not work', async () => {
  const page = show()
  await measure(page)
  await page.setProps({ config: { ...makeConfig(), seed: 9 } })
  expect(page.findAll('dd')).toHaveLength(0)
  await page.setProps({ config: makeConfig() })
  expect(page.findAll('dd')).not.toHaveLength(0)
  await page.setProps({ config: null })
  expect(page.get('button.btn').attributes('disabled')).toBeDefined()
})

it('says why nothing was measured', async () => {
  host.failing.set('runs.forecast', new AppError('not-found', { what: 'model', id: 1 }))
  const page = show()
  await measure(page)
  expect(page.get('[role="alert"]').text()).toContain('model')
  host.failing.clear()
  await measure(page)
  expect(page.find('[role="alert"]').exists()).toBe(false)
})

it('puts the forecast beside what the run took', () => {
  const actual = { seconds: 150, peakMemoryBytes: 7e8, diskBytes: 3.9e7 }
  const page = mount(RunActual, { props: { run: { forecast: FORECAST, actual } }, global })
  expect(page.findAll('td.mono').map((cell) => cell.text())).toEqual([
    ...['2 min 5 s', '2 min 30 s', '900 MB', '700 MB', '40 MB', '39 MB'],
  ])
  const alone = mount(RunActual, { props: { run: { forecast: null, actual } }, global })
  expect(alone.findAll('td.mono').map((cell) => cell.text())).toEqual(['–', '2 min 30 s', '–', '700 MB', '–', '39 MB'])
  expect(
    mount(RunActual, { props: { run: { forecast: null, actual: null } }, global })
      .find('table')
      .exists(),
  ).toBe(false)
})
