/** Two features on the same tokens: windows as a corpus is cut, every token once, and Pearson's correlation. */
import { describe, expect, it } from 'vitest'
import { columnOf, fromWindow, PairTokens, pearson } from '../../src/main/engine/measure/feature-pair'
import { cutDocument } from '../../src/main/engine/train/contexts'
import { Random } from '../../src/main/engine/train/random'
import type { Passage } from '../../src/shared/domain'

const passage = (facts: Partial<Passage>): Passage => ({
  ...{ corpus: 1, document: 0, contextSize: 8, first: 0, ids: new Int32Array(20), from: 0 },
  ...facts,
})

describe('the window of a passage', () => {
  it.each([null, 1])('begins where the document was cut, BOS %s', (bosId) => {
    const document = Array.from({ length: 50 }, (_, at) => 100 + at)
    const length = bosId === null ? 8 : 7
    for (const window of cutDocument(document, { contextSize: 8, bosId })) {
      for (let from = window.start; from < Math.min(50, window.start + length); from++) {
        const first = Math.max(0, from - 8)
        const ids = Int32Array.from(document.slice(first, from + 3))
        const cut = fromWindow(passage({ first, ids, from }), length)
        expect(cut.start).toBe(window.start)
        expect([...cut.ids]).toEqual(document.slice(window.start, from + 3))
      }
    }
  })
})

describe('a column', () => {
  it('has 0 where the feature is not active', () => {
    const codes = {
      starts: Uint32Array.of(0, 2, 2, 3),
      features: Uint32Array.of(1, 4, 1),
      values: Float32Array.of(0.5, 2, 3),
    }
    expect([...columnOf(codes, 1)]).toEqual([0.5, 0, 3])
    expect([...columnOf(codes, 4)]).toEqual([2, 0, 0])
    expect([...columnOf(codes, 9)]).toEqual([0, 0, 0])
  })
})

describe('tokens that are read twice', () => {
  it('count once, unless text or document differ', () => {
    const tokens = new PairTokens()
    const values = [Float32Array.of(0, 1, 2), Float32Array.of(1, 0, 2)] as const
    tokens.add(passage({}), 0, values)
    tokens.add(passage({}), 1, values)
    expect(tokens.together()).toMatchObject({ tokens: 4, firedOne: 3, firedOther: 3, firedBoth: 2 })
    tokens.add(passage({ document: 1 }), 0, values)
    tokens.add(passage({ corpus: 2 }), 0, values)
    expect(tokens.together().tokens).toBe(10)
    // Of an autoencoder with contexts of another size, but the same token of the same text.
    tokens.add(passage({ contextSize: 9 }), 0, values)
    expect(tokens.together().tokens).toBe(10)
  })

  it('say nothing where there are none', () => {
    expect(new PairTokens().together()).toEqual({
      ...{ tokens: 0, firedOne: 0, firedOther: 0, firedBoth: 0, correlation: null },
    })
  })
})

describe('the correlation', () => {
  it('is that of known numbers', () => {
    // Deviations -1.5 -0.5 0.5 1.5 and -1 0 -1 2: sum of products 4, of squares 5 and 6.
    expect(pearson([1, 2, 3, 4], [1, 2, 1, 4])).toBeCloseTo(4 / Math.sqrt(5 * 6), 14)
    expect(pearson([1, 2, 3], [6, 4, 2])).toBeCloseTo(-1, 14)
  })

  it('is null for a constant', () => {
    expect(pearson([1, 2, 3], [0, 0, 0])).toBeNull()
    expect(pearson([5, 5, 5], [1, 2, 3])).toBeNull()
  })

  it('loses nothing far from zero, where sums of squares would', () => {
    const random = Random.fromSeed(3)
    const x = Array.from({ length: 200 }, () => random.normal())
    const y = x.map((value) => value + random.normal())
    const far = 1e7
    const near = pearson(x, y) ?? 0
    expect(near).toBeGreaterThan(0.5)
    expect(
      Math.abs(
        (pearson(
          x.map((value) => value + far),
          y.map((value) => value + far),
        ) ?? 0) - near,
      ),
    ).toBeLessThan(1e-7)
  })
})
