// @vitest-environment happy-dom
/** Two features side by side: figures, what holds between them, both lines of a context, choosing, swapping, and what cannot be compared. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import type { Comparison } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { connect } from '../../../src/shared/wire'
import { FakeWorkspace, makeSae } from './fake-features'

const held: { client: MonoscopeClient | null } = vi.hoisted(() => ({ client: null }))
vi.mock('../../../src/renderer/app/client', () => ({
  client: { call: (...input: Parameters<MonoscopeClient['call']>) => held.client!.call(...input) },
  connectionState: { value: 'open' },
}))
const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: ComparePage } = await import('../../../src/renderer/views/features/compare/ComparePage.vue')

let workspace: FakeWorkspace
beforeEach(() => {
  workspace = new FakeWorkspace(600)
  held.client = connect<MonoscopeContract>(workspace.connect())
  localStorage.clear()
  chooseLanguage('en')
})

/** On the contexts of each the other one fires half as strongly as its own maximum. */
function comparison(facts: Partial<Comparison> = {}): Comparison {
  const lines = (own: number, other: number) =>
    workspace
      .detail(own)
      .contexts.slice(0, 10)
      .map(({ documentIndex, position, spans, peak }) => {
        const value = workspace.row(other).maxActivation / 2
        return {
          ...{ documentIndex, position, value },
          spans: spans.map((span, at) => ({ ...span, value: at === peak ? value : 0 })),
        }
      })
  return {
    ...{ tokens: 1000, firedOne: 60, firedOther: 50, firedBoth: 20, correlation: -0.125 },
    ...{ cosine: 0.31, isSameSpace: true, seconds: 0.5, readySeconds: 0, one: lines(30, 45), other: lines(45, 30) },
    ...facts,
  }
}

async function open(path: string) {
  const pinia = createPinia()
  setActivePinia(pinia)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      {
        path: '/features/:saeId(\\d+)/:featureIndex(\\d+)/with/:otherSaeId(\\d+)?/:otherIndex(\\d+)?',
        component: ComparePage,
      },
      { path: '/:rest(.*)*', component: { template: '<i />' } },
    ],
  })
  await router.push(path)
  const view = mount(
    { template: '<RouterView />' },
    { attachTo: document.body, global: { plugins: [pinia, i18n, router] } },
  )
  await vi.waitFor(() => expect(view.find('.compare').exists()).toBe(true))
  await flushPromises()
  return { view, router }
}

const facts = (list: { text(): string }[]) => list.map((one) => one.text())

describe('two features', () => {
  it('stand beside each other with their figures and what holds between them', async () => {
    workspace.measured.comparison = comparison()
    const { view } = await open('/features/1/30/with/1/45')
    await vi.waitFor(() => expect(view.findAll('dd')).toHaveLength(6))
    expect(facts(view.findAll('dd'))).toEqual(['0.310', '−0.125', '20', '40', '30', '910'])
    expect(facts(view.findAll('dt')).slice(2)).toEqual([
      ...['Tokens with both', 'With A alone', 'With B alone', 'With neither'],
    ])
    const cells = view.findAll('tbody tr').map((row) => facts(row.findAll('td')))
    expect(cells[0]).toEqual(['Density', '0.120 %', '0.180 %'])
    expect(cells[2]).toEqual(['Max', '3.00', '4.50'])
    // 45 is fifteenth among the partners of 30, which are the next twenty; 30 is none of 45's.
    expect(cells[5]?.slice(1)).toEqual(['30 %', 'not listed'])
  })

  it('are read on each other’s contexts', async () => {
    workspace.measured.comparison = comparison()
    const { view } = await open('/features/1/30/with/1/45')
    await vi.waitFor(() => expect(view.findAll('.both')).toHaveLength(20))
    const [first] = view.findAll('.both')
    expect(facts(first!.findAll('.who'))).toEqual(['A', 'B'])
    expect(facts(first!.findAll('.v'))).toEqual(['3.00', '2.25'])
    expect(first!.findAll('.tokens.centred')).toHaveLength(2)
    expect(facts(view.findAll('.both')[10]!.findAll('.who'))).toEqual(['B', 'A'])
  })

  it('change sides', async () => {
    workspace.measured.comparison = comparison()
    const { view, router } = await open('/features/1/30/with/1/45')
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 's' }))
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/features/1/45/with/1/30'))
    await flushPromises()
    expect(facts(view.findAll('th.num'))).toEqual(['A · 45', 'B · 30'])
    view.unmount()
  })

  it('from different spaces have no cosine, and the page says why', async () => {
    workspace.measured.comparison = comparison({ cosine: null, isSameSpace: false, correlation: null })
    const { view } = await open('/features/1/30/with/1/45')
    await vi.waitFor(() => expect(view.findAll('dd')).toHaveLength(6))
    expect(facts(view.findAll('dd')).slice(0, 2)).toEqual(['–', '–'])
    expect(view.text()).toContain('They write into different spaces')
  })

  it('keep their own figures where they cannot be read together', async () => {
    workspace.failing.set('features.compare', new AppError('compare-models', { one: 'small', other: 'large' }))
    const { view } = await open('/features/1/30/with/1/45')
    await vi.waitFor(() => expect(view.find('[role="alert"]').exists()).toBe(true))
    expect(view.get('[role="alert"]').text()).toContain('One feature belongs to the model small, the other to large')
    expect(view.findAll('tbody tr')).toHaveLength(6)
    expect(view.find('.wait').exists()).toBe(false)
  })

  it('are named where one is not there', async () => {
    const { view } = await open('/features/1/30/with/1/700')
    await vi.waitFor(() => expect(view.find('[role="alert"]').exists()).toBe(true))
    expect(view.find('table').exists()).toBe(false)
    expect(view.get('[role="alert"]').text()).toContain('700')
  })
})

describe('one feature alone', () => {
  it('offers its neighbours', async () => {
    const { view, router } = await open('/features/1/30/with')
    const links = view.findAll('ul a')
    expect(links).toHaveLength(10)
    expect(links[0]?.text()).toMatch(/^31.*0\.80$/)
    await links[0]!.trigger('click')
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/features/1/30/with/1/31'))
  })

  it('takes a number of an autoencoder of the same model, and refuses one that is not there', async () => {
    workspace.saes = [makeSae(1, 600), makeSae(2, 100), { ...makeSae(3, 100), modelId: 9 }, makeSae(4, 100, false)]
    const { view, router } = await open('/features/1/30/with')
    const form = view.findAll('form').at(-1)!
    await vi.waitFor(() => expect(form.findAll('option')).toHaveLength(2))
    expect(form.get('select').element.value).toBe('1')
    await form.get('select').setValue('2')
    await form.get('input').setValue('100')
    expect(form.text()).toContain('0 to 99')
    expect(form.get('button').attributes('disabled')).toBeDefined()
    await form.get('input').setValue('99')
    await form.trigger('submit')
    await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/features/1/30/with/2/99'))
  })
})
