// @vitest-environment happy-dom
/** The page of features against neurons and the panel of one feature: nothing measured yet, being measured, failed, and what was found. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import type { Job, NeuronMatches } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { connect } from '../../../src/shared/wire'
import { makeSummary } from '../../fixtures/neurons'
import { FakeWorkspace } from './fake-features'
import { makeJob } from './fake-runs'

const held: { client: MonoscopeClient | null } = vi.hoisted(() => ({ client: null }))
vi.mock('../../../src/renderer/app/client', () => ({
  client: {
    call: (...input: Parameters<MonoscopeClient['call']>) => held.client!.call(...input),
    feed: (...input: Parameters<MonoscopeClient['feed']>) => held.client!.feed(...input),
  },
  connectionState: { value: 'open' },
}))

const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { useAppInfo } = await import('../../../src/renderer/app/info.store')
const { default: FeatureNeuron } = await import('../../../src/renderer/views/features/neurons/FeatureNeuron.vue')
const { default: NeuronsPage } = await import('../../../src/renderer/views/features/neurons/NeuronsPage.vue')

let workspace: FakeWorkspace
let pinia: Pinia
let unmount: () => void = () => undefined
beforeEach(() => {
  workspace = new FakeWorkspace(300)
  held.client = connect<MonoscopeContract>(workspace.connect())
  pinia = createPinia()
  setActivePinia(pinia)
  localStorage.clear()
  chooseLanguage('en')
})
afterEach(() => unmount())

const named = (featureIndex: number, label: string | null) => ({ featureIndex, label, density: 0.01, topToken: ' cat' })
const matches = (): NeuronMatches => ({
  summary: makeSummary(),
  rows: [
    { feature: named(9, 'Cats'), place: { layer: 2, neuron: 17 }, r: -0.71, firedTokens: 1234 },
    { feature: named(4, null), place: null, r: 0, firedTokens: 0 },
  ],
})

async function show(component: Component, { jobs = [], props = {} }: { jobs?: Job[]; props?: object } = {}) {
  // Only the jobs matter here.
  useAppInfo().status = { jobs } as unknown as ReturnType<typeof useAppInfo>['status']
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }],
  })
  await router.push('/features/neurons')
  const page = mount(component, { props, global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  unmount = () => page.unmount()
  await flushPromises()
  await vi.waitFor(() => expect(page.find('.skeleton').exists()).toBe(false))
  return page
}
const shownPanel = (featureIndex: number) => show(FeatureNeuron, { props: { saeId: 1, featureIndex } })

it('says what would be measured, starts it, and tells why it could not', async () => {
  const page = await show(NeuronsPage)
  expect(page.text()).toContain('sae-1 was not held against neurons yet')
  expect(page.get('option').text()).toContain('stories')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(workspace.calls).toContain('neurons.start')
  workspace.failing.set('neurons.start', new AppError('neurons-none', { hookName: 'hook_embed' }))
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain('no MLP layer before hook_embed')
})

it('does not call unmeasured what could not be read', async () => {
  workspace.failing.set('neurons.get', new AppError('not-found', { what: 'sae', id: 1 }))
  const page = await show(NeuronsPage)
  expect(page.get('[role=alert]').text()).not.toBe('')
  expect(page.text()).not.toContain('not held against neurons yet')
})

it('shows how far it is, and stops it', async () => {
  const job = makeJob(5, { kind: 'neurons', saeId: 1, state: 'running', done: 250, total: 1000, tokensPerSecond: 99 })
  const page = await show(NeuronsPage, { jobs: [job] })
  expect(page.text()).toContain('250 of 1,000 tokens')
  expect(page.get('[role=progressbar]').attributes('aria-valuenow')).toBe('25')
  await page
    .findAll('button')
    .find((one) => one.text() === 'Stop')!
    .trigger('click')
  await flushPromises()
  expect(workspace.calls).toContain('jobs.cancel')
})

it('shows the share, the histogram as a picture and as a table, and the closest features', async () => {
  workspace.measured.neurons = matches()
  const page = await show(NeuronsPage)
  expect(page.text()).toContain('82 % of 1,000 features go with no single neuron')
  expect(page.get('svg.chart').attributes('aria-label')).toContain('82 %')
  expect(page.findAll('svg.chart rect')).toHaveLength(20)
  // Three of ten are below the line.
  expect(page.findAll('svg.chart rect.bar-act')).toHaveLength(6)
  expect(page.findAll('svg.chart rect')[5]!.text()).toBe('from 0.25 to 0.30: 456 features')
  const [first, second] = page.findAll('tbody tr').map((row) => row.findAll('td').map((cell) => cell.text()))
  expect(first).toEqual(['9', 'Cats', 'layer 2, neuron 17', '1,234', '−0.71'])
  expect(second).toEqual(['4', expect.stringContaining('cat'), 'none', '0', '0.00'])
  expect(page.text()).toContain('stories dddddddd, model eeeeeeee')
  await page
    .findAll('button')
    .find((one) => one.text() === 'Show as table')!
    .trigger('click')
  expect(page.findAll('figure tbody tr')).toHaveLength(20)
})

it('says of a feature which neuron is best, or why none is known', async () => {
  expect((await shownPanel(9)).text()).toContain('were not held against neurons yet')
  unmount()
  workspace.measured.neurons = matches()
  const known = await shownPanel(9)
  expect(known.text()).toContain('layer 2, neuron 17')
  expect(known.text()).toContain('r = −0.71')
  expect(known.text()).toContain('Over 250,000 tokens of stories; the feature fires on 1,234 of them.')
  await known.setProps({ featureIndex: 5 })
  await flushPromises()
  expect(known.text()).toContain('not among the 1,000 that were drawn')
  await known.setProps({ featureIndex: 4 })
  await flushPromises()
  expect(known.text()).toContain('it goes with no neuron at all')
  workspace.failing.set('neurons.feature', new AppError('not-found', { what: 'feature', id: 9 }))
  await known.setProps({ featureIndex: 9 })
  await flushPromises()
  expect(known.get('[role=alert]').text()).not.toBe('')
})
