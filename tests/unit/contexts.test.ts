/** Packing documents into windows: no window crosses the border of a document, and no token is lost, doubled or moved. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectCorpus, cutDocument, isHeldOut, windowCount, type Windows } from '../../src/main/engine/train/contexts'

const BOS = -1
/** Each character is a token. */
const letters = { encode: (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0) }

type Options = { contextSize: number; bosId: number | null }

/** Puts what the windows hold of each document together again, behind what is there; every window is checked by itself. */
function gather(windows: Windows, { contextSize, bosId }: Options, documents: Map<number, number[]>): Set<number> {
  for (let w = 0; w < windowCount(windows); w++) {
    const ids = Array.from(windows.ids.subarray(windows.offsets[w], windows.offsets[w + 1]))
    expect(ids.length).toBeGreaterThan(bosId === null ? 0 : 1)
    expect(ids.length).toBeLessThanOrEqual(contextSize)
    if (bosId !== null) expect(ids.shift()).toBe(bosId)
    const document = windows.documents[w] ?? -1
    const before = documents.get(document) ?? []
    // A window begins where the one before it ended.
    expect(windows.starts[w]).toBe(before.length)
    documents.set(document, [...before, ...ids])
  }
  return new Set(windows.documents)
}

describe('windows', () => {
  it('hold whole documents between them, each window of one document only', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 40 }), { minLength: 2, maxLength: 40 }),
        fc.record({ contextSize: fc.integer({ min: 2, max: 12 }), bosId: fc.constantFrom(BOS, null), seed: fc.nat() }),
        async (texts, options) => {
          async function* documents() {
            for (const [index, text] of texts.entries()) yield await Promise.resolve({ index, text })
          }
          const neededTokens = 1e6
          const corpus = await collectCorpus(documents(), letters, { ...options, neededTokens })
          const gathered = new Map<number, number[]>()
          const training = gather(corpus.training, options, gathered)
          const heldOut = gather(corpus.heldOut, options, gathered)
          const written = texts.flatMap((text, index) => (text === '' ? [] : [[index, letters.encode(text)] as const]))
          expect([...gathered].sort(([a], [b]) => a - b)).toEqual(written)
          // A document is either trained on or held out, unless there is no other to hold out.
          const shared = [...training].filter((document) => heldOut.has(document))
          const different = new Set(written.map(([index]) => texts[index]?.trim()))
          if (different.size > 1) expect(shared).toEqual([])
          expect(corpus.cutShort).toBe(false)
        },
      ),
      { seed: 11, numRuns: 300 },
    )
  })

  it('are full but for the last of a document', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), fc.integer({ min: 2, max: 9 }), (ids, contextSize) => {
        const windows = [...cutDocument(ids, { contextSize, bosId: null })]
        expect(windows.slice(0, -1).every((window) => window.ids.length === contextSize)).toBe(true)
        expect(windows.flatMap((window) => window.ids)).toEqual(ids)
      }),
      { seed: 12 },
    )
  })
})

describe('held-out documents', () => {
  const stories = Array.from({ length: 400 }, (_, i) => `story ${i} of many`)
  /** Texts on each side. */
  async function sides(texts: string[], options: { seed?: number; rule?: 1 | 2 } = {}) {
    async function* documents() {
      for (const [index, text] of texts.entries()) yield await Promise.resolve({ index, text })
    }
    const corpus = await collectCorpus(documents(), letters, {
      ...{ contextSize: 16, bosId: null, neededTokens: 1e6, seed: 3, ...options },
    })
    const { isLate } = corpus
    const of = ({ documents: own }: Windows) => new Set(Array.from(own, (index) => texts[index]?.trim() ?? ''))
    return { training: of(corpus.training), heldOut: of(corpus.heldOut), isLate }
  }
  const leaks = ({ training, heldOut }: Awaited<ReturnType<typeof sides>>) =>
    [...heldOut].filter((text) => training.has(text))

  it('are all the copies of a text, so that none is trained on', async () => {
    const repeated = [...stories, ...stories.slice(0, 300), ...stories.map((text) => ` ${text}\n`)]
    const found = await sides(repeated)
    expect(found.heldOut.size).toBeGreaterThan(5)
    expect(found.isLate).toBe(false)
    expect(leaks(found)).toEqual([])
    // The rule of older versions, which is kept for what was trained by it.
    expect(leaks(await sides(repeated, { rule: 1 }))).not.toEqual([])
  })
  it('are the same in any order of the documents, and others for another seed', async () => {
    const { heldOut } = await sides(stories)
    expect((await sides(stories.toReversed())).heldOut).toEqual(heldOut)
    expect((await sides(stories, { seed: 4 })).heldOut).not.toEqual(heldOut)
  })
  it('are the last text and its copies where chance holds none out, which is said', async () => {
    const late: boolean[] = []
    for (let seed = 0; seed < 40; seed++) {
      const texts = ['one text', 'another text', 'one text', 'a third', 'a third']
      const found = await sides(texts, { seed })
      expect(leaks(found)).toEqual([])
      expect(found.training.size).toBeGreaterThan(0)
      late.push(found.isLate)
      if (found.isLate) expect([...found.heldOut]).toEqual(['a third'])
      else expect(texts.some((text) => isHeldOut({ index: 0, text }, { seed, rule: 2 }))).toBe(true)
    }
    expect(new Set(late)).toEqual(new Set([true, false]))
  })
})
