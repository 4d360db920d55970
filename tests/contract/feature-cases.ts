/** Calls about one's own text and about what people keep of features, on a real model with an atlas. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'

/** A document read as one's own text has the activations that the atlas found in it, for one feature and for all. */
export async function readOwnText(client: MonoscopeClient, saeId: number): Promise<void> {
  const [row] = (await client.call('features.list', { saeId, sort: 'max', descending: true, limit: 1 })).rows
  const featureIndex = row?.featureIndex ?? 0
  const [context] = (await client.call('features.get', { saeId, featureIndex })).contexts
  if (!context) throw new Error('the strongest feature has no context')
  const { documentIndex, position, value } = context
  const passage = await client.call('features.passage', { saeId, documentIndex, start: 0, length: 2000 })
  const text = passage.spans.map((span) => span.text).join('')
  const one = await client.call('text.feature', { saeId, featureIndex, text: text.trimStart() })
  expect(one.tokens).toBe(passage.spans.reduce((sum, { ids }) => sum + ids.length, 0))
  let tokens = 0
  const peak = one.spans.find(({ ids }) => (tokens += ids.length) > position)
  expect((peak?.value ?? 0) / value).toBeCloseTo(1, 4)

  const all = await client.call('text.features', { saeId, text: text.trimStart() })
  expect(all.spans.map((span) => span.text)).toEqual(one.spans.map((span) => span.text))
  const place = all.features.findIndex((feature) => feature.featureIndex === featureIndex)
  const values = one.spans.map((_, s) => {
    const at = all.active.subarray(all.starts[s], all.starts[s + 1]).indexOf(place)
    return at < 0 ? 0 : (all.values[(all.starts[s] ?? 0) + at] ?? 0)
  })
  expect(values).toEqual(one.spans.map((span) => span.value))
  // Strong and rare first: what fires everywhere goes behind what fires here as strongly and seldom elsewhere.
  const ranks = all.features.map(({ largest, maxActivation, density }) =>
    maxActivation > 0 ? (largest / maxActivation) * Math.log(1 / density) : 0,
  )
  for (const [at, rank] of ranks.entries()) expect(rank).toBeLessThanOrEqual((ranks[at - 1] ?? Infinity) + 1e-9)
  const sae = (await client.call('saes.list', {})).find(({ id }) => id === saeId)
  expect(all.fit.heldOut).toBe((sae?.quality ?? sae?.summary)?.explainedVariance)
  expect(all.fit.explainedVariance).toBeLessThan(1)
  expect((await client.call('text.features', { saeId, text: 'One' })).fit.explainedVariance).toBeNull()
  await expect(client.call('text.feature', { saeId, featureIndex: 9999, text: 'x' })).rejects.toMatchObject({
    code: 'not-found',
  })
}

/** A label is judged, found by its score, and the judgement taken back. */
export async function judgeLabel(client: MonoscopeClient, saeId: number): Promise<void> {
  const place = { saeId, featureIndex: 9 }
  const scored = async (minScore: number) =>
    (await client.call('features.list', { saeId, filter: { minScore } })).rows.map(({ featureIndex }) => featureIndex)
  const [label] = await client.call('features.label', { ...place, text: 'judged' })
  expect(label?.score).toBeNull()
  expect(await scored(0)).toEqual([])
  const [judged] = await client.call('features.score', { ...place, labelId: label?.id ?? 0, score: 2 })
  expect(judged).toMatchObject({ text: 'judged', score: 2, chosen: true })
  expect([await scored(0), await scored(2), await scored(3)]).toEqual([[9], [9], []])
  // Another label has not been judged; the old one keeps its score.
  await client.call('features.label', { ...place, text: 'another' })
  expect(await scored(0)).toEqual([])
  const labels = await client.call('features.label', { ...place, text: 'judged' })
  expect(labels.map(({ text, score }) => [text, score])).toEqual([
    ['another', null],
    ['judged', 2],
  ])
  expect(await scored(2)).toEqual([9])
  await client.call('features.score', { ...place, labelId: label?.id ?? 0, score: null })
  expect(await scored(0)).toEqual([])
  await expect(client.call('features.score', { ...place, labelId: 999, score: 1 })).rejects.toMatchObject({
    code: 'not-found',
  })
  await client.call('features.label', { ...place, text: '' })
}

/** Notes, lists and views come and go; what was not there before is told, so that it can be taken back. */
export async function keepNotes(client: MonoscopeClient, saeId: number): Promise<void> {
  const feature = { saeId, featureIndex: 3 }
  await client.call('notes.add', { ...feature, text: 'first <b>', author: 'me' })
  const [second] = await client.call('notes.add', { ...feature, text: 'second' })
  await client.call('notes.remove', { noteId: second?.id ?? 0 })
  const list = await client.call('lists.put', { saeId, featureIndexes: [3, 4], name: 'Kept' })
  expect(list.added).toEqual([3, 4])
  expect(await client.call('lists.put', { saeId, featureIndexes: [4, 5], name: 'kept' })).toMatchObject({
    ...{ id: list.id, added: [5] },
  })
  await client.call('lists.take', { saeId, featureIndexes: [4], listId: list.id })
  expect(await client.call('lists.all', { saeId })).toEqual([{ id: list.id, name: 'Kept', count: 2 }])
  const { rows, matching } = await client.call('features.list', { saeId, filter: { listIds: [list.id] } })
  expect(rows.map(({ featureIndex }) => featureIndex)).toEqual([3, 5])
  expect(await client.call('features.count', { saeId, filter: { listIds: [list.id] } })).toBe(matching)
  expect(await client.call('features.get', feature)).toMatchObject({
    ...{ notes: [{ text: 'first <b>', author: 'me' }], lists: [{ id: list.id, name: 'Kept' }] },
  })
  await client.call('lists.remove', { listId: list.id })
  expect((await client.call('features.get', feature)).lists).toEqual([])
  await client.call('views.save', { name: 'Loud', query: 'sort=max' })
  const [view] = await client.call('views.save', { name: 'loud', query: 'sort=max&order=descending' })
  expect(await client.call('views.list', {})).toEqual([{ ...view, name: 'Loud', query: 'sort=max&order=descending' }])
  expect(await client.call('views.remove', { viewId: view?.id ?? 0 })).toEqual([])
}

/** Prompts that must and must not make a feature fire. */
export async function searchByPrompts(client: MonoscopeClient, saeId: number): Promise<void> {
  const found = await client.call('search.prompts', {
    saeId,
    prompts: [
      { text: 'Once upon a time', sign: 'positive' },
      { text: 'One day', sign: 'positive' },
      { text: 'The dog', sign: 'negative' },
    ],
  })
  expect(found.prompts).toHaveLength(3)
  expect(found.prompts[0]?.map(({ text }) => text).join('')).toContain('Once upon a time')
  for (const { values } of found.hits) {
    expect(values[0]).toBeGreaterThan(0)
    expect(values[1]).toBeGreaterThan(0)
    expect(values[2]).toBe(0)
  }
  // What a hit is about is said with it, as in the list.
  const [first] = found.hits
  if (!first) throw new Error('nothing was found')
  const { label, topToken, peakSpans } = await client.call('features.get', { saeId, featureIndex: first.featureIndex })
  expect(first).toMatchObject({ label, topToken, peakSpans })
  expect(peakSpans.length).toBeGreaterThan(1)
  await expect(
    client.call('search.prompts', { saeId, prompts: [{ text: 'x', sign: 'negative' }] }),
  ).rejects.toMatchObject({ code: 'invalid-input' })
}

/** A tag gets a category, another colour and name, and what it was again; a name that is taken is refused. */
export async function changeTag(
  client: MonoscopeClient,
  { saeId, tag }: { saeId: number; tag: { id: number; name: string; color: number } },
): Promise<void> {
  const changed = { name: 'Louder', color: 7, category: 'sound' }
  expect(await client.call('tags.change', { tagId: tag.id, ...changed })).toEqual({ id: tag.id, ...changed })
  expect(await client.call('tags.list', { saeId })).toMatchObject([{ ...changed, count: 1 }])
  const other = await client.call('features.tag', { saeId, featureIndexes: [0], name: 'quiet' })
  const taken = client.call('tags.change', { tagId: other.id, name: 'LOUDER', color: 1, category: '' })
  await expect(taken).rejects.toMatchObject({ code: 'tag-exists', details: { name: 'Louder' } })
  await client.call('features.untag', { saeId, featureIndexes: [0], tagId: other.id })
  await client.call('tags.change', { tagId: tag.id, name: tag.name, color: tag.color, category: '' })
}
