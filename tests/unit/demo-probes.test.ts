/** What the probes count: shares of texts by group, and the features that tell groups apart best. */
import { describe, expect, it } from 'vitest'
import { addText, bestOf, candidateIn, newActivity, shareOf } from '../../scripts/demo/probe-activity'
import { MATTERS, TOPICS } from '../../scripts/demo/probe-sentences'

/** Feature 0 fires everywhere, 1 in all of a and half of c, 2 in half of a, 3 nowhere. */
function activity() {
  const found = newActivity(4)
  for (const [group, features] of [
    ...[['a', [0, 1, 2]] as const, ['a', [0, 1]] as const],
    ...[['b', [0]] as const, ['b', [0]] as const, ['b', [0]] as const],
    ...[['c', [0, 1]] as const, ['c', [0]] as const],
  ]) {
    addText(found, group, features)
  }
  return found
}

describe('features that tell groups apart', () => {
  it('are counted by text, every group alike', () => {
    expect(shareOf(activity(), 1, ['a', 'b', 'c'])).toEqual({ mean: 0.5, most: 1, least: 0 })
    expect(shareOf(activity(), 2, ['a'])).toEqual({ mean: 0.5, most: 0.5, least: 0.5 })
    expect(shareOf(activity(), 0, ['nowhere'])).toEqual({ mean: 0, most: 0, least: 0 })
  })

  it('are ranked by the share inside less the largest share outside', () => {
    const kinds = { inside: ['a'], outside: ['b', 'c'] }
    expect(bestOf(activity(), kinds, 3)).toEqual([
      { feature: 1, inside: 1, outside: 0.5 },
      { feature: 2, inside: 0.5, outside: 0 },
      { feature: 0, inside: 1, outside: 1 },
    ])
    expect(candidateIn(activity(), 1, { inside: ['c'], outside: ['b'] })).toEqual({
      feature: 1,
      inside: 0.5,
      outside: 0,
    })
  })
})

/** Words of content, roughly: those of more than three letters. */
const words = (text: string) => new Set(text.toLowerCase().match(/\p{L}{4,}/gu))

describe('the texts of the probes', () => {
  it('have every matter in the same languages, twice', () => {
    const languages = Object.keys(MATTERS[0]?.sentences ?? {})
    expect(languages).toHaveLength(7)
    for (const { name, sentences } of MATTERS) {
      expect(Object.keys(sentences), name).toEqual(languages)
      expect(new Set(Object.values(sentences).flat()).size, name).toBe(14)
    }
  })

  it('share no word of content between the halves of a topic', () => {
    const common = new Set(['when', 'from', 'with', 'this', 'that', 'must', 'been', 'were', 'have', 'more', 'their'])
    for (const [topic, texts] of Object.entries(TOPICS)) {
      expect(texts, topic).toHaveLength(6)
      const first = words(texts.slice(0, 3).join(' '))
      const shared = [...words(texts.slice(3).join(' '))].filter((word) => first.has(word) && !common.has(word))
      expect(shared, topic).toEqual([])
    }
  })
})
