/** Making and reading the map of features over the contract. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Job } from '../../src/shared/domain'

export async function mapFeatures(client: MonoscopeClient, saeId: number): Promise<void> {
  expect(await client.call('map.get', { saeId })).toBeNull()
  const { id: jobId, kind } = await client.call('map.start', { saeId })
  expect(kind).toBe('map')
  const seen: Job[] = []
  await new Promise<void>((resolve, reject) => {
    const onEnd = (error?: Error) => (error ? reject(error) : resolve())
    client.feed('jobs.watch', { jobId }, (job) => seen.push(job), onEnd)
  })
  expect(seen.at(-1)).toMatchObject({ state: 'done', failure: null })
  const map = await client.call('map.get', { saeId })
  if (!map) throw new Error('the map was not stored')
  // Every feature that fires is on it, with the density that the list shows.
  const { rows, alive } = await client.call('features.list', { saeId, filter: { state: 'alive' }, limit: 500 })
  expect(map.features.length).toBe(alive)
  expect(Array.from(map.features)).toEqual(rows.map(({ featureIndex }) => featureIndex))
  rows.forEach(({ density }, at) => expect(map.densities[at]).toBeCloseTo(density, 6))
  expect(map.positions.length).toBe(2 * alive)
  expect(map.clusters.length).toBe(alive)
  expect(map.parameters).toMatchObject({ seed: 1, fitted: alive, placed: 0 })

  const [tag] = await client.call('tags.list', { saeId })
  const { featureIndexes } = await client.call('tags.features', { saeId, tagId: tag?.id ?? 0 })
  expect(featureIndexes).toHaveLength(tag?.count ?? -1)
  const [last] = featureIndexes
  const named = await client.call('features.named', { saeId, featureIndexes: [last ?? 0, 3, 9999] })
  expect(named.map(({ featureIndex }) => featureIndex)).toEqual([last, 3])
  const { label, density, topToken } = await client.call('features.get', { saeId, featureIndex: last ?? 0 })
  expect(named[0]).toEqual({ featureIndex: last, label, density, topToken })
}
