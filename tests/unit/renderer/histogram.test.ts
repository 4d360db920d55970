// @vitest-environment happy-dom
/** The activation histogram: bars in proportion, the marker at its value, the table twin; and numbers as text. */
import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import Histogram from '../../../src/renderer/charts/Histogram.vue'
import Sparkbars from '../../../src/renderer/charts/Sparkbars.vue'
import { activationText, densityPercent, logDensity } from '../../../src/renderer/charts/figures'

const make = (marked: number | null = null) =>
  mount(Histogram, { props: { counts: Float32Array.of(100, 50, 0, 1), max: 8, marked, label: 'A sentence.' } })

describe('Histogram', () => {
  it('draws bars in proportion to the counts from a common base', () => {
    const bars = make().findAll('rect.bar-act')
    const heights = bars.map((bar) => Number(bar.attributes('height')))
    expect(heights[1]).toBeCloseTo(heights[0]! / 2)
    expect(heights[2]).toBe(0)
    expect(heights[3]).toBeGreaterThan(0)
    const bases = bars.map((bar) => Number(bar.attributes('y')) + Number(bar.attributes('height')))
    for (const base of bases) expect(base).toBeCloseTo(bases[0]!)
  })

  it('marks a value at its place between 0 and the maximum', async () => {
    const wrapper = make(2)
    expect(wrapper.find('[data-marker] .cursor').attributes('d')).toMatch(/^M74 /)
    expect(wrapper.find('[data-marker] text').text()).toBe('2.0000')
    await wrapper.setProps({ marked: null })
    expect(wrapper.find('[data-marker]').exists()).toBe(false)
  })

  it('says its sentence and shows the same numbers as a table', async () => {
    const wrapper = make()
    expect(wrapper.find('svg').attributes('aria-label')).toBe('A sentence.')
    await wrapper.find('button').trigger('click')
    expect(wrapper.find('svg').exists()).toBe(false)
    const cells = wrapper.findAll('tbody tr').map((row) => row.findAll('td').map((cell) => cell.text()))
    expect(cells.map((row) => row[1])).toEqual(['100', '50', '0', '1'])
    expect(cells[3]![0]).toContain('6.00')
  })
})

describe('Sparkbars', () => {
  it('keeps a rare bin visible and draws nothing for a silent feature', () => {
    const pathOf = (counts: Float32Array) => mount(Sparkbars, { props: { counts } }).find('path').attributes('d')
    const heights = [...(pathOf(Float32Array.of(10_000, 1, 0)) ?? '').matchAll(/v-([\d.]+)/g)].map(
      ([, height]) => height,
    )
    expect(heights).toEqual(['16.0', '0.8'])
    expect(pathOf(new Float32Array(2))).toBe('')
  })
})

describe('figures', () => {
  it('keeps three digits of an activation', () => {
    expect([0, 31.84, 4.126, 0.1234, 123.4, 0.00123].map(activationText)).toEqual([
      '0',
      '31.8',
      '4.13',
      '0.123',
      '123',
      '1.2e-3',
    ])
  })

  it('writes densities in percent and as logarithms', () => {
    expect([0, 0.00412, 0.231, 1e-7].map(densityPercent)).toEqual(['0', '0.412', '23.1', '1.0e-5'])
    expect(logDensity(0.00412)).toBe('−2.39')
    expect(logDensity(0)).toBeNull()
  })
})
