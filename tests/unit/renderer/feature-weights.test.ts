// @vitest-environment happy-dom
/** What the feature page says of weights: bars by size, visible spaces, links to neighbours, and numbers with their sign. */
import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { FeatureWeights } from '../../../src/shared/domain'
import { signedText } from '../../../src/renderer/charts/figures'
import FeatureLogits from '../../../src/renderer/views/features/FeatureLogits.vue'
import { FakeWorkspace } from './fake-features'
import FeatureNeighbours from '../../../src/renderer/views/features/FeatureNeighbours.vue'

const logits = {
  top: [
    { id: 3, text: ' Table', weight: 2 },
    { id: 4, text: '   ', weight: 1 },
  ],
  bottom: [{ id: 5, text: 'uls', weight: -0.5 }],
  histogram: Float32Array.of(1, 16, 4, 1),
  ...{ min: -0.5, max: 2 },
}
const related = Array.from({ length: 20 }, (_, k) => ({
  ...{ featureIndex: 100 + k, density: 0.01, label: k === 0 ? 'Errors <b>' : null },
  topToken: k === 2 ? null : ' the',
}))
const weights: FeatureWeights = {
  ...{ decoderNorm: 1, encoderCosine: -0.25, logits: null },
  neighbours: related.map((one, k) => ({ ...one, cosine: 0.5 - k / 20 })),
}
const plain = { ...new FakeWorkspace().detail(7), saeId: 7 }
const mountNeighbours = (given: FeatureWeights, together = plain.together) => {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }],
  })
  return mount(FeatureNeighbours, {
    props: { feature: { ...plain, weights: given, together } },
    global: { plugins: [router] },
  })
}

describe('FeatureLogits', () => {
  it('lists tokens with visible spaces, signed weights and bars in proportion to the largest', () => {
    const rows = mount(FeatureLogits, { props: { logits } }).findAll('.logit')
    expect(rows.map((row) => row.findAll('span').at(-1)?.text())).toEqual(['+2.00', '+1.00', '−0.50'])
    expect(rows.map((row) => row.find('.tokens').text())).toEqual(['·Table', '···', 'uls'])
    expect(rows.map((row) => Number(row.find('rect').attributes('width')))).toEqual([100, 50, 25])
    expect(rows[2]?.find('rect').classes()).toEqual(['fill-neg'])
  })

  it('marks the weight of a token that is pointed at in the histogram, and tokens that another feature shares', async () => {
    const shared = { top: new Set([4]), bottom: new Set([3]) }
    const view = mount(FeatureLogits, { props: { logits, shared } })
    const rows = view.findAll('.logit')
    expect(rows.map((row) => row.classes('shared'))).toEqual([false, true, false])
    expect(rows[1]?.attributes('title')).toBe('id 4, also at this end of the other feature')
    expect(view.find('[data-marker]').exists()).toBe(false)
    await rows[2]?.trigger('pointerenter')
    expect(view.get('[data-marker]').text()).toBe('−0.50')
    expect(view.get('[data-marker] .cursor').attributes('d')).toMatch(/^M0 /)
    await rows[2]?.trigger('pointerleave')
    expect(view.find('[data-marker]').exists()).toBe(false)
  })

  it('colours the histogram by sign and draws square roots', () => {
    const bars = mount(FeatureLogits, { props: { logits } }).findAll('svg.chart rect')
    expect(bars.map((bar) => bar.classes()[0])).toEqual(['bar-neg', 'bar-act', 'bar-act', 'bar-act'])
    const heights = bars.map((bar) => Number(bar.attributes('height')))
    expect(heights[0]).toBeCloseTo(heights[1]! / 4)
    expect(heights[2]).toBeCloseTo(heights[1]! / 2)
  })
})

describe('FeatureNeighbours', () => {
  it('links to the nearest, shows a label as text, and more when asked', async () => {
    const wrapper = mountNeighbours(weights)
    const rows = () => wrapper.findAll('tbody tr')
    expect(rows()).toHaveLength(8)
    expect(rows()[0]?.find('a').attributes('href')).toBe('/features/7/100')
    expect(rows()[0]?.text()).toContain('Errors <b>')
    expect(rows()[1]?.text()).toContain('·the')
    expect(rows()[2]?.text()).toContain('silent')
    await wrapper.find('button.btn').trigger('click')
    expect(rows()).toHaveLength(20)
    expect(rows()[19]?.find('.num').text()).toBe('−0.45')
    expect(wrapper.text()).toContain('−0.25')
  })

  it('shows those that are active together with their shares', async () => {
    const features = related.map((one, k) => ({ ...one, share: 1 - k / 20 }))
    const wrapper = mountNeighbours(weights, { sampledTokens: 64, features })
    await wrapper.findAll('.seg button')[1]?.trigger('click')
    const rows = wrapper.findAll('tbody tr')
    expect(rows).toHaveLength(8)
    expect(rows.map((row) => row.find('.num').text()).slice(0, 2)).toEqual(['100 %', '95 %'])
    expect(wrapper.text()).toContain('64 random tokens')
  })

  it('says why there are none', async () => {
    const wrapper = mountNeighbours({ ...weights, neighbours: [] }, { sampledTokens: 0, features: [] })
    expect(wrapper.find('table').exists()).toBe(false)
    expect(wrapper.text()).toContain('no decoder row')
    await wrapper.findAll('.seg button')[1]?.trigger('click')
    expect(wrapper.text()).toContain('never fired')
  })
})

describe('signedText', () => {
  it('has a sign, and digits where two would show nothing', () => {
    expect([1.384, -0.61, 0, 0.00123].map(signedText)).toEqual(['+1.38', '−0.61', '0', '+1.2e-3'])
  })
})
