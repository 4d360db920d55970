/** Schedules at their corners. */
import { describe, expect, it } from 'vitest'
import {
  evaluationCount,
  isEvaluationStep,
  isReportStep,
  learningRateAt,
  mostPoints,
  warmUpAt,
} from '../../src/main/engine/train/schedules'

describe('schedules', () => {
  it('raises lambda linearly over the first 5 %', () => {
    expect(4 * warmUpAt(0, 1000)).toBe(0)
    expect(4 * warmUpAt(25, 1000)).toBe(2)
    expect(4 * warmUpAt(50, 1000)).toBe(4)
    expect(4 * warmUpAt(999, 1000)).toBe(4)
  })

  it('lowers the learning rate linearly over the last 20 % and never to zero', () => {
    expect(learningRateAt(0, 1000, 0.5)).toBe(0.5)
    expect(learningRateAt(800, 1000, 0.5)).toBe(0.5)
    expect(learningRateAt(900, 1000, 0.5)).toBe(0.25)
    expect(learningRateAt(999, 1000, 0.5)).toBeCloseTo(0.0025, 10)
  })

  it('reports about 300 points, evaluates about 50 times at points of their own, first and last included', () => {
    const steps = Array.from({ length: 2501 }, (_, i) => i)
    expect(steps.filter((s) => isReportStep(s, 2500)).length).toBeGreaterThanOrEqual(300)
    expect(steps.filter((s) => isReportStep(s, 2500)).length).toBeLessThan(360)
    expect(steps.filter((s) => isEvaluationStep(s, 2500))).toHaveLength(51)
    expect(isEvaluationStep(0, 7) && isEvaluationStep(7, 7) && isReportStep(0, 7) && isReportStep(7, 7)).toBe(true)
  })

  it('makes a point of every evaluation, whatever the number of steps', () => {
    const lengths = [
      1, 2, 3, 7, 24, 25, 26, 49, 50, 51, 74, 75, 99, 100, 149, 151, 299, 300, 301, 599, 600, 601, 997, 1000,
    ]
    const longer = [
      1200, 1201, 1999, 2000, 2500, 3001, 4999, 5000, 5001, 7919, 9999, 10_000, 12_345, 15_000, 16_384, 19_531,
    ]
    const longest = [
      19_532, 19_533, 20_000, 25_000, 29_999, 30_000, 33_333, 40_000, 48_829, 50_000, 65_536, 99_991, 100_000,
    ]
    for (const length of [...lengths, ...longer, ...longest]) {
      const steps = Array.from({ length: length + 1 }, (_, i) => i)
      const evaluated = steps.filter((s) => isEvaluationStep(s, length))
      expect(
        evaluated.filter((s) => !isReportStep(s, length)),
        `${length} steps`,
      ).toEqual([])
      expect(evaluated, `${length} steps`).toHaveLength(evaluationCount(length))
      expect([evaluated[0], evaluated.at(-1)]).toEqual([0, length])
      // Two per cent apart, or every step of a short run; the last interval may be shorter.
      const gaps = evaluated.slice(1).map((s, i) => s - (evaluated[i] ?? 0))
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.max(1, 0.03 * length))
      expect(steps.filter((s) => isReportStep(s, length)).length).toBeLessThanOrEqual(mostPoints(length))
    }
  })

  it('survives a run of one step', () => {
    expect(4 * warmUpAt(0, 1)).toBe(0)
    expect(learningRateAt(0, 1, 0.5)).toBe(0.5)
  })
})
