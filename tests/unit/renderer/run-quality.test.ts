// @vitest-environment happy-dom
/** The quality of a run's autoencoder on its page: not evaluated, going on, refused, failed, and every figure. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Job, Sae } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { QUALITY } from '../../fixtures/quality'
import { makeSae } from './fake-features'
import { FakeHost, later, makeJob, makeRun } from './fake-runs'

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
const { useAppInfo } = await import('../../../src/renderer/app/info.store')
const { default: RunQuality } = await import('../../../src/renderer/views/runs/RunQuality.vue')
const { densityBins, QUALITY_GROUPS } = await import('../../../src/renderer/views/runs/quality-figures')

/** A host that also queues evaluations. */
class EvaluatingHost extends FakeHost {
  override handlers() {
    return {
      ...super.handlers(),
      'evaluations.start': ({ saeId }: { saeId: number }) => later(() => makeJob(7, { kind: 'evaluate', saeId })),
      'jobs.cancel': () => later(() => null),
    }
  }
}

let host: EvaluatingHost
let pinia: Pinia
let unmount: () => void = () => undefined
beforeEach(() => {
  host = new EvaluatingHost()
  bridge.host = host
  pinia = createPinia()
  setActivePinia(pinia)
  chooseLanguage('en')
})
afterEach(() => unmount())

function show(sae: Partial<Sae> = {}, jobs: Job[] = []) {
  // Only the jobs matter here.
  useAppInfo().status = { jobs } as unknown as ReturnType<typeof useAppInfo>['status']
  const props = { run: makeRun(1, { state: 'done', saeId: 1 }), sae: { ...makeSae(1, 72), ...sae } }
  const wrapper = mount(RunQuality, { props, global: { plugins: [pinia, i18n] }, attachTo: document.body })
  unmount = () => wrapper.unmount()
  return wrapper
}

const called = (name: string) => host.calls.filter((call) => call.name === name).map(({ input }) => input)

it('says what an evaluation is, and asks for one on the text of the run', async () => {
  const page = show()
  expect(page.text()).toContain('Not evaluated yet')
  expect(page.text()).toContain('text-1')
  await page.get('button').trigger('click')
  await flushPromises()
  expect(called('evaluations.start')).toEqual([{ saeId: 1, datasetId: 1 }])
})

it('shows why an evaluation was refused', async () => {
  host.failing.set('evaluations.start', new AppError('not-found', { what: 'dataset', id: 1 }))
  const page = show()
  await page.get('button').trigger('click')
  await flushPromises()
  expect(page.get('[role="alert"]').text()).toContain('dataset')
})

it('shows how far an evaluation is, and stops it', async () => {
  const job = makeJob(7, { kind: 'evaluate', saeId: 1, done: 3, total: 12 })
  const page = show({}, [job, makeJob(9, { kind: 'atlas', saeId: 1 }), makeJob(8, { kind: 'evaluate', saeId: 2 })])
  expect(page.get('[role="progressbar"]').attributes('aria-valuenow')).toBe('25')
  expect(page.text()).toContain('3 of 12 windows')
  await page.get('button').trigger('click')
  await flushPromises()
  expect(called('jobs.cancel')).toEqual([{ jobId: 7 }])
})

it('shows why the last evaluation failed', () => {
  const failure = { code: 'worker-crashed', message: '', details: { reason: 'SIGKILL', step: 0 } }
  const early = makeJob(6, { kind: 'evaluate', saeId: 1, state: 'done', endedAt: '2026-11-22T00:00:00Z' })
  const page = show({}, [early, makeJob(7, { kind: 'evaluate', saeId: 1, state: 'failed', failure })])
  expect(page.get('[role="alert"]').text()).toContain('SIGKILL')
})

it('shows every figure with its unit, and what it rests on', () => {
  const page = show({ quality: QUALITY })
  const text = page.text()
  for (const figure of [
    '0.8125',
    '0.1875',
    '0.9062',
    '0.8906',
    '0.9375',
    '32.25',
    '12.50',
    '25 %',
    '95 %',
    '92.5 %',
    '98.4 %',
  ])
    expect(text).toContain(figure)
  for (const nats of ['1.5000 nats', '1.7500 nats', '6.5000 nats', '5.5000 nats', '0.3125 nats'])
    expect(text).toContain(nats)
  expect(text).toContain('16,384 tokens of held-out documents of stories')
  expect(text).toContain('10^-2 to 10^-1.5 of the tokens')
  const figures = QUALITY_GROUPS.flatMap((group) => group.figures)
  // One hint for each figure and one for the densities.
  expect(page.findAll('button.how')).toHaveLength(figures.length + 1)
  const shown = [
    ...figures.map(({ key }) => key),
    'tokens',
    'densityHistogram',
    'datasetName',
    'isHeldOut',
    'evaluatedAt',
  ]
  expect(shown.toSorted()).toEqual(Object.keys(QUALITY).toSorted())
})

it('opens a hint with the formula, the tokens and the text, in both languages', async () => {
  const page = show({ quality: QUALITY })
  await page.get('button[aria-label="Shrinkage γ of the features"]').trigger('click')
  await vi.waitFor(() => expect(document.querySelector('.how-box')?.textContent).toContain('Below 1'))
  expect(document.querySelector('.how-box')?.textContent).toContain('16,384 tokens of held-out documents of stories')
  chooseLanguage('ko')
  await flushPromises()
  expect(page.text()).toContain('stories에서 따로 둔 문서의 토큰 16,384개')
})

it('says that a baseline does no harm where nothing can be recovered', () => {
  const page = show({ quality: { ...QUALITY, ceRecovered: null, ceRecoveredMean: null, klScore: null } })
  expect(page.text().match(/no harm/g)).toHaveLength(3)
})

it('names the bins that hold features', () => {
  expect(densityBins(QUALITY.densityHistogram)).toEqual([
    { from: -2, to: -1.5, count: 40 },
    { from: -1.5, to: -1, count: 30 },
    { from: -0.5, to: 0, count: 2 },
  ])
})
