/** Schedules at their corners. */
import { describe, expect, it } from 'vitest'
import { isEvaluationStep, isReportStep, learningRateAt, warmUpAt } from '../../src/main/engine/train/schedules'

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

  it('reports about 300 points and evaluates about 50 times, first and last included', () => {
    const steps = Array.from({ length: 2501 }, (_, i) => i)
    expect(steps.filter((s) => isReportStep(s, 2500)).length).toBeGreaterThanOrEqual(300)
    expect(steps.filter((s) => isReportStep(s, 2500)).length).toBeLessThan(330)
    expect(steps.filter((s) => isEvaluationStep(s, 2500))).toHaveLength(51)
    expect(isEvaluationStep(0, 7) && isEvaluationStep(7, 7) && isReportStep(0, 7) && isReportStep(7, 7)).toBe(true)
  })

  it('survives a run of one step', () => {
    expect(4 * warmUpAt(0, 1)).toBe(0)
    expect(learningRateAt(0, 1, 0.5)).toBe(0.5)
  })
})
