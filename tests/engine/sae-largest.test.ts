/** The choice of the largest activations, against sorting, with ties. */
import { describe, expect, it } from 'vitest'
import { largestOfAll, largestPerRow } from '../../src/main/engine/sae/largest'
import { Random } from '../../src/main/engine/train/random'

/** By sorting: values above zero, largest first, of equal ones the lower index first. */
function bySorting(values: Float32Array, k: number, isAllowed: (index: number) => boolean = () => true): Float32Array {
  const candidates = Array.from(values, (value, index) => ({ value, index }))
    .filter(({ value, index }) => value > 0 && isAllowed(index))
    .toSorted((a, b) => b.value - a.value || a.index - b.index)
  const kept = new Float32Array(values.length)
  for (const { value, index } of candidates.slice(0, k)) kept[index] = value
  return kept
}

const WIDTH = 23

describe('the largest activations', () => {
  it('are those that sorting finds, in each row and in all, whatever the ties', () => {
    const random = Random.fromSeed(3)
    for (let round = 0; round < 60; round++) {
      // Few different values make many ties; in later rounds there are almost none.
      const levels = round < 30 ? 4 : 1e6
      const values = Float32Array.from({ length: WIDTH * 7 }, () => (random.int(levels) - levels / 3) / levels)
      const k = random.int(WIDTH + 3)
      const allowed = Uint8Array.from({ length: WIDTH }, () => random.int(2))
      expect(largestOfAll(values, k * 7)).toEqual(bySorting(values, k * 7))
      const [all, some] = [
        largestPerRow(values, { width: WIDTH, k }),
        largestPerRow(values, { width: WIDTH, k, allowed }),
      ]
      for (let row = 0; row < 7; row++) {
        const [first, end] = [row * WIDTH, (row + 1) * WIDTH]
        const own = values.slice(first, end)
        expect(all.slice(first, end)).toEqual(bySorting(own, k))
        expect(some.slice(first, end)).toEqual(bySorting(own, k, (i) => allowed[i] === 1))
      }
    }
  })

  it('of equal values are the first ones', () => {
    expect(largestOfAll(Float32Array.of(1, 2, 1, 2, 1), 3)).toEqual(Float32Array.of(1, 2, 0, 2, 0))
    expect(largestPerRow(Float32Array.of(5, 5, 5, 5), { width: 2, k: 1 })).toEqual(Float32Array.of(5, 0, 5, 0))
  })

  it('are never zero, negative or no number', () => {
    expect(largestOfAll(Float32Array.of(0, -1, Number.NaN, 3), 4)).toEqual(Float32Array.of(0, 0, 0, 3))
  })
})
