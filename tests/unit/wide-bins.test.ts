/** The bars of a histogram, cut out of finer bins: equally wide, whole numbers, all values. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FeatureStatistics, FINE_BINS, wideBins } from '../../src/main/engine/measure/statistics'

const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0)

describe('bars of evenly spread values', () => {
  // 1,024 does not divide into 50, and the largest value lies anywhere in the upper half of the range.
  it.each([0.51, 0.6, 0.77, 0.9, 0.999])('are equally high when the largest value is %d of the range', (largest) => {
    const statistics = new FeatureStatistics(1)
    const values = Array.from({ length: 100_000 }, (_, i) => (largest * (i + 0.5)) / 100_000)
    for (const value of values) {
      statistics.widen(0, value)
      statistics.add(0, value)
    }
    const { histogram } = statistics.figures(50)
    expect(sum(histogram)).toBe(100_000)
    for (const count of histogram) expect(Math.abs(count / 2000 - 1)).toBeLessThan(0.005)
  })
})

it('add up to all values, and no border is off by more than the fine bin it lies in', () => {
  const fine = fc.array(fc.nat({ max: 1000 }), { minLength: FINE_BINS / 2, maxLength: FINE_BINS - 1 })
  fc.assert(
    fc.property(fine, fc.double({ min: 0.001, max: 1, noNaN: true }), (counts, part) => {
      const top = counts.length + part
      const all = [...counts, 1, ...new Array<number>(FINE_BINS - counts.length - 1).fill(0)]
      const bars = wideBins(all, top, 50)
      expect(sum(bars)).toBe(sum(all))
      let counted = 0
      bars.forEach((count, bar) => {
        counted += count
        expect(Number.isInteger(count) && count >= 0).toBe(true)
        const border = (top * (bar + 1)) / 50
        expect(counted).toBeGreaterThanOrEqual(sum(all.slice(0, Math.floor(border))))
        if (bar < 49) expect(counted).toBeLessThanOrEqual(sum(all.slice(0, Math.ceil(border))))
      })
    }),
    { seed: 9, numRuns: 100 },
  )
})
