/** What comes first in a text, and when a text lies outside of what an autoencoder has learned. */
import { describe, expect, it } from 'vitest'
import { TextFit } from '../../src/main/engine/measure/text-fit'
import { Random } from '../../src/main/engine/train/random'
import { isOutside, rankOf } from '../../src/shared/text-rank'

describe('the rank of a feature', () => {
  it('is its share of the maximum times ln(1 / density)', () => {
    expect(rankOf(2, { maxActivation: 4, density: 0.01 })).toBeCloseTo(0.5 * Math.log(100), 12)
    // "the" at nine tenths of its maximum, on 5 % of tokens, behind a rare feature at half of its own.
    const the = rankOf(9, { maxActivation: 10, density: 0.05 })
    expect(rankOf(5, { maxActivation: 10, density: 0.0001 })).toBeGreaterThan(the)
  })

  it('is 0 for what fires everywhere, and for what the atlas has not seen', () => {
    expect(rankOf(4, { maxActivation: 4, density: 1 })).toBe(0)
    expect(rankOf(4, { maxActivation: 0, density: 0 })).toBe(0)
  })
})

describe('how much of a text is explained', () => {
  const [tokens, dIn] = [40, 3]
  const random = Random.fromSeed(7)
  const x = Float32Array.from({ length: tokens * dIn }, (_, at) => random.normal() + 100 * (at % dIn))
  const xhat = x.map((value, at) => value + 0.3 * Math.sin(at))
  const dropped = Uint8Array.from({ length: tokens }, (_, row) => (row % 10 === 0 ? 1 : 0))

  it('is what two passes over the tokens that count find', () => {
    const rows = [...dropped.keys()].filter((row) => dropped[row] === 0)
    const at = (data: Float32Array, row: number, j: number) => data[row * dIn + j] ?? NaN
    const sumOver = (of: (row: number, j: number) => number) =>
      rows.reduce((sum, row) => sum + [0, 1, 2].reduce((part, j) => part + of(row, j), 0), 0)
    const mean = [0, 1, 2].map((j) => rows.reduce((sum, row) => sum + at(x, row, j), 0) / rows.length)
    const error = sumOver((row, j) => (at(x, row, j) - at(xhat, row, j)) ** 2)
    const variance = sumOver((row, j) => (at(x, row, j) - (mean[j] ?? NaN)) ** 2) / (rows.length - 1)
    const fit = new TextFit()
    for (const [from, to] of [
      [0, 13],
      [13, tokens],
    ] as const)
      fit.add(x.subarray(from * dIn, to * dIn), xhat.subarray(from * dIn, to * dIn), dropped.subarray(from, to))
    expect(fit.explainedVariance).toBeCloseTo(1 - error / rows.length / variance, 9)
  })

  it('is not told of a few tokens, or where all are the same', () => {
    const few = new TextFit()
    few.add(x.subarray(0, 15 * dIn), xhat.subarray(0, 15 * dIn), new Uint8Array(15))
    expect(few.explainedVariance).toBeNull()
    const same = new TextFit()
    same.add(new Float32Array(20 * dIn), new Float32Array(20 * dIn), new Uint8Array(20))
    expect(same.explainedVariance).toBeNull()
    expect(new TextFit().explainedVariance).toBeNull()
  })

  it('is outside where twice as much is left unexplained as of held-out text', () => {
    expect(isOutside(0.79, 0.9)).toBe(true)
    expect(isOutside(0.81, 0.9)).toBe(false)
    expect(isOutside(-3, 0.9)).toBe(true)
    expect([isOutside(null, 0.9), isOutside(0.1, null)]).toEqual([false, false])
  })
})
