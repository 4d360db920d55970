/** Counts and gzip that the demo's model is held against. */
import { expect, it } from 'vitest'
import { Counts, gzipBits } from '../../scripts/demo/baselines'

const ids = Uint16Array.of(0, 1, 2, 1, 2, 1, 3)

it('gives tokens the share they have, with one more of each', () => {
  const counts = new Counts(ids, 4)
  const total = ids.length + 4
  expect(counts.unigramBits(1)).toBeCloseTo(-Math.log2(4 / total))
  expect([0, 1, 2, 3].reduce((sum, id) => sum + 2 ** -counts.unigramBits(id), 0)).toBeCloseTo(1)
})

it('gives pairs their counts, and as many unigrams as the prior says', () => {
  const counts = new Counts(ids, 4)
  expect(counts.bigramBits(1, 2, 1e-9)).toBeCloseTo(-Math.log2(2 / 3))
  expect(counts.bigramBits(1, 0, 1e9)).toBeCloseTo(counts.unigramBits(0), 5)
  const sum = (prior: number) => [0, 1, 2, 3].reduce((total, id) => total + 2 ** -counts.bigramBits(1, id, prior), 0)
  expect(sum(1)).toBeCloseTo(1)
  expect(sum(100)).toBeCloseTo(1)
})

it('counts the bits of gzip', () => {
  expect(gzipBits('a'.repeat(1000))).toBeLessThan(400)
  expect(gzipBits('')).toBe(160)
})
