/** Which features of a read text are listed, and how active one is on each piece of it. */
import { describe, expect, it } from 'vitest'
import { listFeatures, valuesOf } from '../../../src/renderer/views/text/active'

describe('listing', () => {
  const feature = (featureIndex: number, largest: number, label: string | null = null) => ({
    ...{ featureIndex, label, tags: [], topToken: ' tok', density: 0.1, maxActivation: 10, firedTokens: 1, largest },
  })
  const answer = {
    ...{ starts: Int32Array.of(0, 1, 3, 4), active: Int32Array.of(1, 2, 1, 0), values: Float32Array.of(1, 2, 3, 4) },
    features: [feature(7, 4, 'Numbers'), feature(5, 3), feature(9, 2)],
  }

  it('lists all by their largest, or those on a span by their value there', () => {
    expect(listFeatures(answer, null, '').map(({ featureIndex, value }) => [featureIndex, value])).toEqual([
      [7, 4],
      [5, 3],
      [9, 2],
    ])
    expect(listFeatures(answer, 1, '').map(({ featureIndex, value }) => [featureIndex, value])).toEqual([
      [5, 3],
      [9, 2],
    ])
  })

  it('puts the rare before the common that are as strong', () => {
    const common = { ...feature(1, 9), density: 0.2 }
    const rare = { ...feature(2, 5), density: 0.001 }
    const both = {
      ...{ starts: Int32Array.of(0, 2), active: Int32Array.of(0, 1), values: Float32Array.of(9, 5) },
      features: [common, rare],
    }
    expect(listFeatures(both, 0, '').map(({ featureIndex }) => featureIndex)).toEqual([2, 1])
  })

  it('filters by label, top token and whole number', () => {
    const found = (part: string) => listFeatures(answer, null, part).map(({ featureIndex }) => featureIndex)
    expect(found('numb')).toEqual([7])
    expect(found('TOK')).toEqual([7, 5, 9])
    expect(found('5')).toEqual([5])
    expect(found('nothing')).toEqual([])
  })

  it('gives one feature on every span', () => {
    expect(valuesOf(answer, 1)).toEqual([1, 3, 0])
    expect(valuesOf(answer, 0)).toEqual([0, 0, 4])
  })
})
