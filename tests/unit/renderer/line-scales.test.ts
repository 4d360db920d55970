/** Ticks, ranges and number words of line charts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  axisTokens,
  axisValue,
  linearTicks,
  logTicks,
  nearestIndex,
  readout,
  tableRows,
  yRange,
} from '../../../src/renderer/charts/line-scales'

describe('ticks', () => {
  it('are round', () => {
    expect(linearTicks(0, 1)).toEqual([0, 0.5, 1])
    expect(linearTicks(0, 1_536_000)).toEqual([0, 500_000, 1_000_000, 1_500_000])
    expect(linearTicks(0.58, 0.93)).toEqual([0.6, 0.7, 0.8, 0.9])
    expect(logTicks(30, 1000)).toEqual([50, 100, 200, 500, 1000])
    expect(logTicks(8, 600)).toEqual([10, 30, 100, 300])
    expect(logTicks(210, 230)).toEqual([210, 215, 220, 225, 230])
    expect(logTicks(9, 60)).toEqual([10, 20, 30, 50])
    expect(logTicks(1e-3, 1e9)).toHaveLength(5)
  })

  it('are at most five, ascending and inside, whatever the range', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6 }), fc.double({ min: 1.001, max: 1e8 }), (low, ratio) => {
        const high = low * ratio
        for (const ticks of [linearTicks(low, high), logTicks(low, high)]) {
          if (ticks.length > 5) return false
          if (ticks.some((tick, index) => index > 0 && tick <= (ticks[index - 1] ?? Infinity))) return false
          if (ticks.some((tick) => tick < low * (1 - 1e-6) || tick > high * (1 + 1e-6))) return false
        }
        return true
      }),
      { seed: 7, numRuns: 500 },
    )
  })
})

describe('yRange', () => {
  it('leaves out what a log axis cannot show', () => {
    const [low, high] = yRange([0, -1, NaN, 10, 100], true)
    expect(low).toBeCloseTo(8.7, 1)
    expect(high).toBeCloseTo(115, 5)
    expect(yRange([0, 0], true)).toEqual([1, 10])
  })

  it('holds when all values are equal or there is none', () => {
    const [low, high] = yRange([3, 3], false)
    expect(low).toBeLessThan(3)
    expect(high).toBeGreaterThan(3)
    expect(yRange([], false)).toEqual([0, 1])
  })

  it('widens a fixed range only where the data leaves it', () => {
    expect(yRange([0.2, 0.9], false, [0, 1])).toEqual([0, 1])
    expect(yRange([-0.4, 0.9], false, [0, 1])).toEqual([-0.4, 1])
  })
})

describe('words', () => {
  it('put letters on axes only', () => {
    expect([0, 999, 1000, 1_500_000, 2e9].map(axisTokens)).toEqual(['0', '999', '1k', '1.5M', '2B'])
    expect([0.30000000000000004, 50, 12_000].map(axisValue)).toEqual(['0.3', '50', '12k'])
  })

  it('show about four digits', () => {
    expect([0, 236.44, 12.539, 0.9172, 0.0000421, 1234.5, 3e6].map(readout)).toEqual([
      ...['0', '236.4', '12.54', '0.917', '0.000042', '1235', '3.00e+6'],
    ])
  })
})

describe('points', () => {
  it('of a table are the first, the last, and no more than asked', () => {
    expect(tableRows(3, 40)).toEqual([0, 1, 2])
    const rows = tableRows(1000, 40)
    expect([rows.length, rows[0], rows.at(-1)]).toEqual([40, 0, 999])
    expect(new Set(rows).size).toBe(40)
  })

  it('nearest to the cursor', () => {
    const x = Float64Array.from([0, 10, 20, 40])
    expect([-5, 4, 6, 29, 31, 99].map((at) => nearestIndex(x, at))).toEqual([0, 0, 1, 2, 3, 3])
    expect(nearestIndex(new Float64Array(0), 1)).toBeNull()
  })
})
