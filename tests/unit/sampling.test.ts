/** Choosing the next token: probabilities, ties, temperature and the most probable share. */
import { describe, expect, it } from 'vitest'
import { largestIds, pickToken, probabilitiesOf } from '../../src/main/engine/lm/sampling'
import { Random } from '../../src/main/engine/train/random'

const LOGITS = Float32Array.of(1, 3, 2, 3, -5)
const draws = (options: { temperature: number; topP: number }, count = 20_000) => {
  const random = Random.fromSeed(7)
  const counts = Array.from(LOGITS, () => 0)
  for (let i = 0; i < count; i++) {
    const { id } = pickToken(LOGITS, options, random)
    counts[id] = (counts[id] ?? 0) + 1
  }
  return counts.map((n) => n / count)
}
/** Five standard errors of a share of 20,000 draws. */
const MARGIN = (5 * 0.5) / Math.sqrt(20_000)

describe('probabilities', () => {
  it('are the softmax, whatever the size of the logits', () => {
    const plain = [1, 2, 3].map((x) => Math.exp(x))
    const sum = plain.reduce((a, b) => a + b)
    probabilitiesOf([1, 2, 3]).forEach((p, i) => expect(p).toBeCloseTo((plain[i] ?? 0) / sum, 12))
    expect([...probabilitiesOf([1e4, 1e4 + 1])]).toEqual([...probabilitiesOf([0, 1])])
    expect([...probabilitiesOf([Number.NEGATIVE_INFINITY, 0])]).toEqual([0, 1])
  })
  it('spread with the temperature', () => {
    expect(probabilitiesOf([0, 1], 2)[1]).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 12)
  })
})

it('lists the largest, the lower id first in a tie', () => {
  expect(largestIds(LOGITS, 3)).toEqual([1, 3, 2])
  expect(largestIds(LOGITS, 9)).toEqual([1, 3, 2, 0, 4])
  expect(largestIds(Float32Array.of(2, 2, 2), 1)).toEqual([0])
})

describe('the next token', () => {
  it('is the most probable one at temperature 0, told with its probability at temperature 1', () => {
    expect(draws({ temperature: 0, topP: 1 }, 50)).toEqual([0, 1, 0, 0, 0])
    const { probability } = pickToken(LOGITS, { temperature: 0, topP: 1 }, Random.fromSeed(1))
    expect(probability).toBeCloseTo(probabilitiesOf(LOGITS)[1] ?? 0, 12)
  })
  it.each([0.5, 1, 3])('is drawn as often as its probability says at temperature %s', (temperature) => {
    const expected = probabilitiesOf(LOGITS, temperature)
    draws({ temperature, topP: 1 }).forEach((share, id) =>
      expect(Math.abs(share - (expected[id] ?? 0))).toBeLessThan(MARGIN),
    )
  })
  it('comes from the fewest tokens that reach the share, their odds unchanged', () => {
    const [one = 0, , two = 0] = [probabilitiesOf(LOGITS)[1], 0, probabilitiesOf(LOGITS)[2]]
    const shares = draws({ temperature: 1, topP: 2 * one + two / 2 })
    expect(shares[0]).toBe(0)
    expect(shares[4]).toBe(0)
    expect(Math.abs((shares[2] ?? 0) - two / (2 * one + two))).toBeLessThan(MARGIN)
    expect(draws({ temperature: 1, topP: 1e-9 }, 50)).toEqual([0, 1, 0, 0, 0])
  })
  it('is the same for the same seed', () => {
    const sequence = (seed: number) => {
      const random = Random.fromSeed(seed)
      return Array.from({ length: 30 }, () => pickToken(LOGITS, { temperature: 1, topP: 0.95 }, random).id)
    }
    expect(sequence(3)).toEqual(sequence(3))
    expect(sequence(3)).not.toEqual(sequence(4))
  })
})
