/** Near-duplicate contexts: which are folded, and in which order. */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../../src/shared/domain'
import { foldDuplicates } from '../../../src/renderer/views/features/context-groups'

function context(text: string, documentIndex: number): Context {
  const spans = text.split('|').map((part) => ({ text: part, ids: [1], value: 0, special: false }))
  return { documentIndex, position: 9, start: 0, value: 1, spans, peak: Math.floor(spans.length / 2) }
}

describe('foldDuplicates', () => {
  it('folds what differs in case, digits and white space only, into the first', () => {
    const contexts = [
      context('Error| 404| in| line| 7', 1),
      context('something| else| entirely', 2),
      context('error| 500| in|\n  line| 12', 3),
      context('Error| 404| on| line| 7', 4),
    ]
    const groups = foldDuplicates(contexts)
    expect(groups.map(({ context: { documentIndex } }) => documentIndex)).toEqual([1, 2, 4])
    expect(groups[0]?.duplicates.map(({ documentIndex }) => documentIndex)).toEqual([3])
  })

  it('looks at five spans on either side of the marked one', () => {
    const near = 'a|b|c|d|e|X|f|g|h|i|j'
    expect(foldDuplicates([context(`one|${near}|two`, 1), context(`uno|${near}|dos`, 2)])).toHaveLength(1)
    expect(foldDuplicates([context(near, 1), context(near.replace('a|', 'z|'), 2)])).toHaveLength(2)
  })

  it('has nothing to fold in nothing', () => {
    expect(foldDuplicates([])).toEqual([])
  })
})
