/** Features in the store: atlas import, filters and pages, and what people wrote about features. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { rebin } from '../../src/main/store/atlas-import'
import { indexes, query, withAtlas } from '../fixtures/atlas-store'
import { addSae, makeAtlas, PIECES, temporaryFolder, temporaryStore, TEXT } from '../fixtures/samples'

/** How many rows each table has of each atlas. */
function rowsByAtlas(path: string): { name: string; atlas: number; rows: number }[] {
  const db = new Database(path, { readonly: true })
  const plain = ['feature', 'feature_blob', 'feature_page', 'feature_weights'].map(
    (name) => [name, 'atlas_id'] as const,
  )
  const byId = (['context_text', 'feature_box'] as const).map(
    (name) => [name, `${name === 'feature_box' ? 'id' : 'rowid'} >> 32`] as const,
  )
  const found = [...plain, ...byId].flatMap(([name, atlas]) =>
    db
      .prepare<[], { name: string; atlas: number; rows: number }>(
        `SELECT '${name}' AS name, ${atlas} AS atlas, count(*) AS rows FROM ${name} GROUP BY 2`,
      )
      .all(),
  )
  db.close()
  return found
}

describe('rebin', () => {
  it('keeps the sum and the place', () => {
    const coarse = rebin(
      Float32Array.from({ length: 50 }, (_, i) => (i === 0 ? 4 : i === 2 ? 2 : i === 49 ? 1 : 0)),
      20,
    )
    expect([...coarse.subarray(0, 3)]).toEqual([5, 1, 0])
    expect(coarse[19]).toBe(1)
    expect(coarse.reduce((a, b) => a + b)).toBe(7)
  })
})

describe('atlas', () => {
  it('gives rows, contexts and the token at the peak', async () => {
    const { store, saeId } = await withAtlas(30)
    const page = store.features.list(query(saeId, { offset: 4, limit: 2 }), PIECES)
    expect(page).toMatchObject({ matching: 30, total: 30, alive: 20 })
    expect(page.rows[0]).toMatchObject({ featureIndex: 4, density: 0.004, firedTokens: 4, topToken: 'e' })
    expect(page.rows[0]?.maxActivation).toBeCloseTo(0.4)
    expect(page.rows[0]?.peakSpans.map(({ text }) => text)).toEqual(['a', 'b', 'e', 'd'])
    expect(page.rows[0]?.histogram).toHaveLength(25)
    const feature = store.features.get(saeId, 4, TEXT)
    expect(feature.meanActivation).toBe(0.5)
    expect(feature.fineHistogram).toHaveLength(50)
    expect(feature.contexts).toHaveLength(1)
    expect(feature.contexts[0]).toMatchObject({ documentIndex: 0, start: 16, position: 18, peak: 2 })
    expect(feature.contexts[0]?.value).toBeCloseTo(0.4)
    expect(feature.contexts[0]?.spans.map(({ value }) => value)).toEqual([0, 0, expect.closeTo(0.4, 3), 0])
    // Largest 0.4: intervals of an eighth of 0.5, of which the seventh holds it.
    expect(feature.intervals.map(({ from, to, firedTokens }) => [from, to, firedTokens]).slice(0, 2)).toEqual([
      [0.375, expect.closeTo(0.4), 6],
      [0.3125, 0.375, 5],
    ])
    expect(feature.intervals).toHaveLength(7)
    expect(feature.intervals.at(-1)?.contexts).toMatchObject([
      { documentIndex: 1, value: expect.closeTo(0.35) as number },
    ])
    expect(feature.together.sampledTokens).toBe(32)
    expect(feature.together.features.slice(0, 2)).toMatchObject([
      { featureIndex: 5, share: 1, topToken: 'f' },
      { featureIndex: 6, share: expect.closeTo(0.95) as number },
    ])
    expect(store.features.get(saeId, 3, TEXT)).toMatchObject({ topToken: null, peakSpans: [], contexts: [] })
  })

  it('gives the nearest features with what is known of them, and the tokens at both ends of the logit weights', async () => {
    const { store, saeId } = await withAtlas(30)
    store.labels.choose(saeId, 6, 'six', '')
    const { weights } = store.features.get(saeId, 4, TEXT)
    expect(weights).toMatchObject({ decoderNorm: 1, encoderCosine: 0.5 })
    expect(weights.neighbours.map(({ featureIndex }) => featureIndex)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 5),
    )
    expect(weights.neighbours.slice(0, 3)).toMatchObject([
      { featureIndex: 5, label: null, density: 0.005, topToken: 'f' },
      { featureIndex: 6, label: 'six', density: 0, topToken: null },
      { featureIndex: 7, label: null, density: 0.007, topToken: 'h' },
    ])
    expect(weights.neighbours[1]?.cosine).toBeCloseTo(0.875)
    expect(weights.logits?.top.map(({ text }) => text).join('')).toBe('zyxwvutsrq')
    expect(weights.logits?.bottom.map(({ text }) => text).join('')).toBe('abcdefghij')
    expect(weights.logits).toMatchObject({ min: 0, max: 2.5 })
    expect(weights.logits?.top[1]?.weight).toBeCloseTo(2.4)
    expect(weights.logits?.histogram).toHaveLength(50)
  })

  it('leaves logits out where there are none', async () => {
    const { store, source, saeId } = await withAtlas(6)
    const atlas = makeAtlas(6)
    await store.atlases.run(source, { ...atlas, weights: { ...atlas.weights, logits: null } }, TEXT)
    expect(store.features.get(saeId, 1, TEXT).weights).toMatchObject({ logits: null, neighbours: { length: 5 } })
  })

  it('says when there is none, and when a feature is outside', async () => {
    const store = temporaryStore()
    const { sae } = addSae(store, 4)
    expect(() => store.features.list(query(sae.id), PIECES)).toThrow('has no feature atlas yet')
    const made = await withAtlas(4)
    expect(() => made.store.features.get(made.saeId, 4, TEXT)).toThrow('There is no feature 4')
  })

  it('is replaced whole, and labels, tags and flags survive', async () => {
    const { store, source, saeId } = await withAtlas(10)
    store.labels.choose(saeId, 5, 'five', 'me')
    store.tags.put(saeId, [5], 'odd')
    store.safety.assign({ saeId, featureIndex: 5, category: 'politics', reason: 'because' })
    await store.atlases.run(source, { ...makeAtlas(10), tokens: 2000 }, TEXT)
    expect(store.features.get(saeId, 5, TEXT)).toMatchObject({
      label: 'five',
      density: 0.0025,
      tags: [{ name: 'odd' }],
      safety: [{ category: 'politics', reason: 'because' }],
    })
    expect(store.saes.get(saeId).atlas).toMatchObject({ tokens: 2000, liveFeatures: 6 })
  })

  it('leaves nothing of the one that it replaced, in any table', async () => {
    const folder = temporaryFolder()
    const { store, source, saeId } = await withAtlas(600, folder)
    const rows = () => rowsByAtlas(join(folder, 'workspace.sqlite'))
    const before = rows()
    await store.atlases.run(source, makeAtlas(600), TEXT)
    expect(before.map(({ atlas }) => atlas)).toEqual([1, 1, 1, 1, 1, 1])
    expect(rows()).toEqual(before.map((row) => ({ ...row, atlas: 2 })))
    expect(store.features.list(query(saeId), PIECES)).toMatchObject({ total: 600, alive: 400 })
  })

  it('stays the old one when a new one cannot be brought in', async () => {
    const { store, source, saeId } = await withAtlas(600)
    const broken = makeAtlas(600)
    broken.max[500] = Number.NaN
    await expect(store.atlases.run(source, broken, TEXT)).rejects.toThrow()
    expect(store.features.list(query(saeId), PIECES)).toMatchObject({ total: 600, alive: 400 })
    expect(store.saes.get(saeId).atlas?.tokens).toBe(1000)
  })
})

describe('list', () => {
  it('filters by state, density, label, tag and text', async () => {
    const { store, saeId } = await withAtlas(60)
    store.labels.choose(saeId, 7, '100% _sure_', '')
    store.labels.choose(saeId, 8, '100 dogs', '')
    const tag = store.tags.put(saeId, [7, 8, 9], 'odd')
    const other = store.tags.put(saeId, [8], 'Even')
    expect(indexes(store, query(saeId, { limit: 3 }, { state: 'silent' }))).toEqual([0, 3, 6])
    expect(indexes(store, query(saeId, {}, { minDensity: 0.04, maxDensity: 0.044 }))).toEqual([40, 41, 43, 44])
    expect(indexes(store, query(saeId, {}, { labelled: 'yes' }))).toEqual([7, 8])
    expect(indexes(store, query(saeId, {}, { labelled: 'no' }))).toHaveLength(58)
    expect(indexes(store, query(saeId, {}, { tagIds: [tag.id] }))).toEqual([7, 8, 9])
    expect(indexes(store, query(saeId, {}, { tagIds: [tag.id, other.id] }))).toEqual([8])
    const list = store.lists.put(saeId, [7, 8, 50], 'Mine')
    expect(indexes(store, query(saeId, { descending: true }, { listIds: [list.id] }))).toEqual([50, 8, 7])
    expect(indexes(store, query(saeId, {}, { listIds: [list.id], tagIds: [tag.id], text: 'dogs' }))).toEqual([8])
    store.labels.choose(saeId, 50, 'for a while', '')
    expect(indexes(store, query(saeId, {}, { listIds: [list.id], labelled: 'yes' }))).toEqual([7, 8, 50])
    store.labels.choose(saeId, 50, '', '')
    expect(indexes(store, query(saeId, {}, { text: 'while' }))).toEqual([])
    store.labels.choose(saeId, 50, 'for a while', '')
    store.labels.choose(saeId, 50, '', '')
    expect(indexes(store, query(saeId, {}, { text: '100%' }))).toEqual([7])
    expect(indexes(store, query(saeId, {}, { text: '_' }))).toEqual([7])
    expect(indexes(store, query(saeId, {}, { text: 'DOGS' }))).toEqual([8])
    expect(indexes(store, query(saeId, {}, { text: ' 00 d' }))).toEqual([8])
    expect(indexes(store, query(saeId, {}, { text: '"00%"' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { tagged: 'yes', labelled: 'no' }))).toEqual([9])
    expect(indexes(store, query(saeId, {}, { minMax: 5.55, maxMean: 0.5 }))).toEqual([56, 58, 59])
    expect(indexes(store, query(saeId, {}, { minMean: 0.6 }))).toEqual([])
    expect(store.features.list(query(saeId, { limit: 1 }, { state: 'alive' }), PIECES).matching).toBe(40)
  })

  it('finds words of the contexts, the last one begun', async () => {
    const { store, saeId, source } = await withAtlas(60)
    // Contexts are one word: "ab", the letter, "d".
    expect(indexes(store, query(saeId, {}, { contexts: 'abz' }))).toEqual([25])
    expect(indexes(store, query(saeId, { limit: 3 }, { contexts: 'AB' }))).toEqual([1, 2, 4])
    expect(indexes(store, query(saeId, {}, { contexts: 'b' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { contexts: '!!' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { contexts: 'abz" OR ab' }))).toEqual([])
    // An atlas that is replaced takes its words along.
    await store.atlases.run(source, { ...makeAtlas(60) }, { ...TEXT, ids: () => Int32Array.of(23, 24) })
    expect(indexes(store, query(saeId, {}, { contexts: 'abz' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { contexts: 'xy' }))).toHaveLength(40)
  })

  it('finds any part of a run of Chinese or Japanese, and Korean words by their beginning', async () => {
    const { store, saeId, source } = await withAtlas(4)
    const texts = ['', '高度な技術が必要', '자유롭게 사용할']
    const bytes = texts.map((text) => new TextEncoder().encode(text))
    const pieces = {
      bytes: Buffer.concat(bytes),
      offsets: Int32Array.of(
        0,
        0,
        ...bytes.slice(1).map((_, i) => bytes.slice(0, i + 2).reduce((n, b) => n + b.length, 0)),
      ),
      special: new Uint8Array(3),
    }
    // Documents of the sample: feature i begins at token 4 i.
    await store.atlases.run(source, makeAtlas(4), { pieces, ids: (_, start) => Int32Array.of(start / 4) })
    expect(indexes(store, query(saeId, {}, { contexts: '技術' }))).toEqual([1])
    expect(indexes(store, query(saeId, {}, { contexts: '術技' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { contexts: '사용' }))).toEqual([2])
    expect(indexes(store, query(saeId, {}, { contexts: '자유 사용' }))).toEqual([])
    expect(indexes(store, query(saeId, {}, { contexts: '자유롭게 사용' }))).toEqual([2])
  })

  it('filters by how well the chosen label fits, which a new atlas keeps', async () => {
    const { store, saeId, source } = await withAtlas(12)
    for (const [index, score] of [
      [2, 3],
      [5, 1],
      [7, 0],
    ] as const) {
      const [label] = store.labels.choose(saeId, index, 'x', '')
      store.labels.score(saeId, index, { labelId: label?.id ?? 0, score })
    }
    store.labels.choose(saeId, 9, 'y', '')
    store.tags.put(saeId, [2, 9], 'odd')
    const scored = (minScore: number) => indexes(store, query(saeId, {}, { minScore }))
    const expectAll = () => {
      expect([scored(0), scored(1), scored(2), scored(3)]).toEqual([[2, 5, 7], [2, 5], [2], [2]])
      expect(indexes(store, query(saeId, {}, { minScore: 1, tagged: 'no' }))).toEqual([5])
      expect(indexes(store, query(saeId, {}, { labelled: 'yes' }))).toEqual([2, 5, 7, 9])
    }
    expectAll()
    await store.atlases.run(source, makeAtlas(12), TEXT)
    expectAll()
  })
})

describe('what people wrote', () => {
  it('keeps every label and chooses at most one', async () => {
    const { store, saeId } = await withAtlas(6)
    store.labels.choose(saeId, 1, 'first', 'a')
    store.labels.choose(saeId, 1, 'second', 'b')
    expect(store.labels.choose(saeId, 1, 'first', 'a').map(({ text, chosen }) => [text, chosen])).toEqual([
      ['second', false],
      ['first', true],
    ])
    const after = store.labels.choose(saeId, 1, '', 'a')
    expect(after.map(({ chosen }) => chosen)).toEqual([false, false])
    expect(store.features.get(saeId, 1, TEXT).label).toBeNull()
  })

  it('takes tag names of any case as one tag and counts per autoencoder', async () => {
    const { store, saeId } = await withAtlas(6)
    const { added, ...tag } = store.tags.put(saeId, [1, 2], 'Animals')
    expect(added).toEqual([1, 2])
    expect(store.tags.put(saeId, [2, 3], 'animals')).toEqual({ ...tag, added: [3] })
    expect(store.tags.list(saeId)).toEqual([{ ...tag, category: '', count: 3 }])
    store.tags.take(saeId, [2], tag.id)
    expect(store.tags.list(saeId)).toEqual([{ ...tag, category: '', count: 2 }])
    expect(() => store.tags.take(saeId, [2], 99)).toThrow('There is no tag 99')
  })

  it('replaces the reason of a feature that is in a category already', async () => {
    const { store, saeId } = await withAtlas(6)
    const first = store.safety.assign({ saeId, featureIndex: 1, category: 'toxicity', reason: 'one' })
    const second = store.safety.assign({ saeId, featureIndex: 1, category: 'toxicity', reason: 'two' })
    expect(second).toMatchObject({ id: first.id, reason: 'two' })
    expect(store.safety.counts(saeId)).toHaveLength(11)
    expect(store.safety.counts(saeId).find(({ category }) => category === 'toxicity')?.count).toBe(1)
    store.safety.remove(first.id)
    expect(() => store.safety.remove(first.id)).toThrow('There is no safety flag')
  })
})
