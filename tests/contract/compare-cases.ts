/** Two features held against each other on a real model: every figure equals what reading the whole documents says. */
import { expect } from 'vitest'
import { COMPARED_CONTEXTS } from '../../src/shared/contract/compare'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Context, Counterpart } from '../../src/shared/domain'

/** Difference between passes over the same tokens in texts of other lengths, in relation to values above 1; measured 7.1e-8 at most. */
const TOLERANCE = 1e-6
const isClose = (a: number, b: number) => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))

/** Activations of a feature on every token of a document, read as one's own text. */
async function onDocument(client: MonoscopeClient, place: { saeId: number; featureIndex: number }, document: number) {
  const passage = await client.call('features.passage', {
    ...{ saeId: place.saeId, documentIndex: document, start: 0, length: 2000 },
  })
  const text = passage.spans.map((span) => span.text).join('')
  const { spans } = await client.call('text.feature', { ...place, text: text.trimStart() })
  expect(spans.flatMap(({ ids }) => ids)).toEqual(passage.spans.flatMap(({ ids }) => ids))
  return spans.flatMap(({ ids, value }) => {
    // Only the tokens of a character that is spread over several share a value.
    expect(ids).toHaveLength(1)
    return [value]
  })
}

/** Pearson's correlation in the textbook form of sums. */
function correlation(pairs: readonly (readonly [number, number])[]): number {
  const sum = (of: (pair: readonly [number, number]) => number) => pairs.reduce((total, pair) => total + of(pair), 0)
  const n = pairs.length
  const [x, y] = [sum(([a]) => a), sum(([, b]) => b)]
  const [xx, yy, xy] = [sum(([a]) => a * a), sum(([, b]) => b * b), sum(([a, b]) => a * b)]
  return (n * xy - x * y) / Math.sqrt((n * xx - x * x) * (n * yy - y * y))
}

/** @param windowTokens text tokens of a window of the atlas */
export async function compareTwo(client: MonoscopeClient, saeId: number, windowTokens: number): Promise<void> {
  const strongest = await client.call('features.list', { saeId, sort: 'density', descending: true, limit: 12 })
  const [one, other] = [0, 5].map((at) => ({ saeId, featureIndex: strongest.rows[at]?.featureIndex ?? 0 }))
  if (!one || !other) throw new Error('there are not enough features')
  const found = await client.call('features.compare', { one, other })
  const details = [await client.call('features.get', one), await client.call('features.get', other)]
  const contexts = details.map((detail) => detail.contexts.slice(0, COMPARED_CONTEXTS))
  const listed = details[0]?.weights.neighbours.find(({ featureIndex }) => featureIndex === other.featureIndex)
  if (listed) expect(found.cosine).toBeCloseTo(listed.cosine, 6)
  expect(found.isSameSpace).toBe(true)
  expect(Math.abs(found.cosine ?? 2)).toBeLessThan(1)

  const documents = [...new Set(contexts.flat().map(({ documentIndex }) => documentIndex))]
  const values = new Map<number, [number[], number[]]>()
  for (const document of documents) {
    values.set(document, [await onDocument(client, one, document), await onDocument(client, other, document)])
  }
  const check = (own: readonly Context[], counterparts: readonly Counterpart[], side: 0 | 1) => {
    expect(counterparts.map(({ documentIndex, position }) => [documentIndex, position])).toEqual(
      own.map(({ documentIndex, position }) => [documentIndex, position]),
    )
    counterparts.forEach(({ documentIndex, position, value, spans }, at) => {
      const expected = values.get(documentIndex)?.[side] ?? []
      expect(isClose(value, expected[position] ?? -1)).toBe(true)
      let token = own[at]?.start ?? 0
      for (const span of spans) {
        expect(isClose(span.value, expected[token] ?? -1)).toBe(true)
        token += span.ids.length
      }
    })
  }
  check(contexts[0] ?? [], found.one, 1)
  check(contexts[1] ?? [], found.other, 0)

  // Every token from the beginning of a context's window to its end, once.
  const pairs = new Map<string, readonly [number, number]>()
  for (const { documentIndex, start, spans } of contexts.flat()) {
    const end = start + spans.reduce((sum, { ids }) => sum + ids.length, 0)
    for (let at = start - (start % windowTokens); at < end; at++) {
      const [a = [], b = []] = values.get(documentIndex) ?? []
      pairs.set(`${documentIndex} ${at}`, [a[at] ?? -1, b[at] ?? -1])
    }
  }
  const all = [...pairs.values()]
  expect(found).toMatchObject({
    tokens: all.length,
    firedOne: all.filter(([a]) => a > 0).length,
    firedOther: all.filter(([, b]) => b > 0).length,
    firedBoth: all.filter(([a, b]) => a > 0 && b > 0).length,
  })
  expect(found.correlation).toBeCloseTo(correlation(all), 5)

  // The other way round it is the same, and a feature is like itself.
  const back = await client.call('features.compare', { one: other, other: one })
  expect(back).toMatchObject({ cosine: found.cosine, tokens: found.tokens, firedOne: found.firedOther })
  expect([back.one, back.other]).toEqual([found.other, found.one])
  const self = await client.call('features.compare', { one, other: one })
  expect(self.cosine).toBeCloseTo(1, 6)
  expect(self.correlation).toBeCloseTo(1, 6)
  expect(self.firedBoth).toBe(self.firedOne)

  await expect(client.call('features.compare', { one, other: { saeId, featureIndex: 64 } })).rejects.toMatchObject({
    code: 'not-found',
  })
  const stop = new AbortController()
  const waiting = client.call('features.compare', { one, other }, stop.signal)
  stop.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
}
