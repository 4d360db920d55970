// @vitest-environment happy-dom
/** The page of the map: nothing there yet, being made, points to select and put into a list, and the neighbourhood of one. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import type { FeatureMap, Job } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { connect } from '../../../src/shared/wire'
import { makeMap } from '../../fixtures/feature-map'
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
const { useUndo } = await import('../../../src/renderer/app/undo.store')
const { default: PlaneMap } = await import('../../../src/renderer/charts/PlaneMap.vue')
const { default: MapPage } = await import('../../../src/renderer/views/features/map/MapPage.vue')
const { clusterRows, rowOf, rowsOf } = await import('../../../src/renderer/views/features/map/map-rows')

const FEATURES = Int32Array.from({ length: 120 }, (_, i) => 2 * i + 1)

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

const theMap = (): FeatureMap => ({
  ...makeMap(FEATURES, 3),
  ...{ saeId: 1, createdAt: '2026-11-24T00:00:00Z', densities: Float32Array.from(FEATURES, (i) => i / 1000) },
})

async function show(path = '/features/map', jobs: Job[] = []) {
  // Only the jobs matter here.
  useAppInfo().status = { jobs } as unknown as ReturnType<typeof useAppInfo>['status']
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }],
  })
  await router.push(path)
  const page = mount(MapPage, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  unmount = () => page.unmount()
  await flushPromises()
  await vi.waitFor(() => expect(page.find('[aria-busy=true]').exists()).toBe(false))
  await flushPromises()
  return { page, router }
}
type Page = Awaited<ReturnType<typeof show>>['page']

const button = (page: Page, text: string) => page.findAll('button').find((one) => one.text().startsWith(text))!

it('says what a map is, asks for one, and why it could not be made', async () => {
  const { page } = await show()
  expect(page.text()).toContain('sae-1 has no map yet')
  await button(page, 'Make the map').trigger('click')
  await flushPromises()
  expect(workspace.calls).toContain('map.start')
  workspace.failing.set('map.start', new AppError('map-too-few', { found: 2, least: 4 }))
  await button(page, 'Make the map').trigger('click')
  await flushPromises()
  expect(page.get('[role=alert]').text()).toContain('Only 2 features')
})

it('shows how far the making is, and stops it', async () => {
  const { page } = await show('/features/map', [
    makeJob(4, { kind: 'map', saeId: 1, state: 'running', done: 50, total: 200 }),
  ])
  expect(page.text()).toContain('50 of 200 steps')
  expect(page.get('[role=progressbar]').attributes('aria-valuenow')).toBe('25')
  await button(page, 'Stop').trigger('click')
  await flushPromises()
  expect(workspace.calls).toContain('jobs.cancel')
})

it('tells the reason of a making that failed', async () => {
  const failure = { code: 'map-too-few', message: '', details: { found: 3, least: 4 } }
  const { page } = await show('/features/map', [makeJob(4, { kind: 'map', saeId: 1, state: 'failed', failure })])
  expect(page.get('[role=alert]').text()).toContain('Only 3 features')
})

it('selects a cluster, names its features, and puts them into a list that can be taken back', async () => {
  workspace.measured.map = theMap()
  const { page } = await show()
  expect(page.get('canvas').attributes('aria-label')).toContain('Map of 120 features in 3 clusters')
  await button(page, 'Cluster').trigger('click')
  await page.get('[aria-label="Select cluster 2 with 40 features"]').trigger('click')
  await flushPromises()
  expect(page.text()).toContain('40 selected')
  const rows = page.get('section[aria-label="Selected features"]').findAll('tbody tr')
  expect(rows.map((row) => row.get('a').text()).slice(0, 3)).toEqual(['3', '9', '15'])
  await button(page, 'Add to list').trigger('click')
  await page.get('section[aria-label="Selected features"] input').setValue('Found here')
  await page.get('section[aria-label="Selected features"] form').trigger('submit')
  await flushPromises()
  const all = () => held.client!.call('lists.all', { saeId: 1 })
  expect(await all()).toMatchObject([{ name: 'Found here', count: 40 }])
  await useUndo().undo()
  expect(await all()).toMatchObject([{ name: 'Found here', count: 0 }])
  window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))
  await flushPromises()
  expect(page.text()).not.toContain('40 selected')
})

it('takes what a lasso encloses, more with Shift, and opens what is clicked', async () => {
  workspace.measured.map = theMap()
  const { page, router } = await show()
  window.dispatchEvent(new KeyboardEvent('keydown', { key: 'l' }))
  await flushPromises()
  const plane = page.getComponent(PlaneMap)
  expect(plane.props('isLasso')).toBe(true)
  plane.vm.$emit('lasso', [4, 5], false)
  plane.vm.$emit('lasso', [2, 5], true)
  await flushPromises()
  expect(page.text()).toContain('3 selected')
  const marked = Uint8Array.from(FEATURES, (_, row) => ([2, 4, 5].includes(row) ? 1 : 0))
  expect(plane.props('marked')).toEqual(marked)
  plane.vm.$emit('open', 10)
  await flushPromises()
  expect(router.currentRoute.value.path).toBe('/features/1/21')
})

it('colours by a tag', async () => {
  workspace.measured.map = theMap()
  await held.client!.call('features.tag', { saeId: 1, featureIndexes: [1, 5, 6], name: 'odd' })
  const { page } = await show()
  await button(page, 'Tag').trigger('click')
  await flushPromises()
  const plane = page.getComponent(PlaneMap)
  const tagged = Array.from(plane.props('colours')).flatMap((colour, row) => (colour ? [FEATURES[row]] : []))
  expect(tagged).toEqual([1, 5])
  expect(page.text()).toContain('all others are grey')
})

it('shows the neighbourhood that the address names, as lines and as a list', async () => {
  workspace.measured.map = theMap()
  const { page, router } = await show('/features/map?sae=1&feature=21')
  const plane = page.getComponent(PlaneMap)
  const detail = await held.client!.call('features.get', { saeId: 1, featureIndex: 21 })
  const near = detail.weights.neighbours.map(({ featureIndex }) => featureIndex)
  expect(plane.props('lines')).toEqual(rowsOf(FEATURES, [21, ...near]))
  const rows = page.get('section[aria-label="Nearest features"]').findAll('tbody tr')
  expect(rows[0]?.get('a').text()).toBe(String(near[0]))
  await page.get('section[aria-label="Nearest features"] header button.btn').trigger('click')
  await flushPromises()
  expect(router.currentRoute.value.query).toEqual({})
  expect(page.find('section[aria-label="Nearest features"]').exists()).toBe(false)
  // Even numbers are not on this map.
  await router.push('/features/map?feature=22')
  await flushPromises()
  expect(page.text()).toContain('This feature is not on the map')
})

it('finds rows of features and of clusters', () => {
  expect([1, 21, 239, 2, 0, 240].map((index) => rowOf(FEATURES, index))).toEqual([0, 10, 119, null, null, null])
  expect(rowsOf(FEATURES, [5, 4, 3])).toEqual([2, 1])
  expect(clusterRows(Int32Array.of(1, 0, 1), 1)).toEqual([0, 2])
})
