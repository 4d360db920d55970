/** Long lists on the command line are asked for in parts that the wire allows. */
import { describe, expect, it } from 'vitest'
import { pageOf, toLimit } from '../../src/main/cli/paged'
import { features } from '../../src/shared/contract/features'

const TOTAL = 1234

/** Answers as the store does, and refuses what the contract refuses. */
function listOf(total: number) {
  const asked: number[] = []
  const ask = (part: { limit: number; offset: number }) => {
    const { limit, offset } = features['features.list'].input.parse({ saeId: 1, ...part })
    asked.push(limit)
    const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => offset + i)
    return Promise.resolve({ rows, isMore: offset + rows.length < total })
  }
  return { asked, ask }
}

describe('pageOf', () => {
  it.each([1, 499, 500, 501, 1000, 1234, 5000])('gives %i rows, each once and in order', async (limit) => {
    const { ask, asked } = listOf(TOTAL)
    const { rows, isMore } = await pageOf({ limit, offset: 0 }, ask)
    expect(rows).toEqual(Array.from({ length: Math.min(limit, TOTAL) }, (_, i) => i))
    expect(isMore).toBe(limit < TOTAL)
    expect(asked).toHaveLength(Math.ceil(Math.min(limit, TOTAL) / 500))
  })

  it('starts at the offset and ends with the list', async () => {
    const { rows, isMore } = await pageOf({ limit: 5000, offset: 700 }, listOf(TOTAL).ask)
    expect([rows[0], rows.length, isMore]).toEqual([700, 534, false])
    expect((await pageOf({ limit: 5000, offset: 9999 }, listOf(TOTAL).ask)).rows).toEqual([])
  })
})

describe('toLimit', () => {
  it.each(['0', '-1', '1.5', 'x'])('refuses %s', (text) => expect(() => toLimit(text)).toThrow())
})
