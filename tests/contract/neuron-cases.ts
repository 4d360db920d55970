/** Holding features against neurons over the contract. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Job } from '../../src/shared/domain'

export async function compareWithNeurons(
  client: MonoscopeClient,
  place: { saeId: number; datasetId: number },
): Promise<void> {
  const { saeId } = place
  expect(await client.call('neurons.get', { saeId })).toBeNull()
  expect(await client.call('neurons.feature', { saeId, featureIndex: 0 })).toEqual({ summary: null, best: null })
  const { id: jobId, kind } = await client.call('neurons.start', { ...place, features: 12, tokens: 3000, seed: 4 })
  expect(kind).toBe('neurons')
  const seen: Job[] = []
  await new Promise<void>((resolve, reject) => {
    const onEnd = (error?: Error) => (error ? reject(error) : resolve())
    client.feed('jobs.watch', { jobId }, (job) => seen.push(job), onEnd)
  })
  const last = seen.at(-1)
  expect(last).toMatchObject({ state: 'done', failure: null, total: 3000 })
  expect(last?.done).toBe(last?.total)
  const found = await client.call('neurons.get', { saeId })
  if (!found) throw new Error('nothing was stored')
  const { summary, rows } = found
  expect(summary).toMatchObject({ features: 12, seed: 4 })
  expect(summary.tokens + summary.sinkTokens).toBe(3000)
  expect(summary.eligible).toBeGreaterThanOrEqual(12)
  expect(summary.neurons % summary.layers).toBe(0)
  expect(summary.histogram.reduce((sum, count) => sum + count, 0)).toBe(12)
  expect(rows).toHaveLength(12)
  const strengths = rows.map(({ r }) => Math.abs(r))
  expect(strengths).toEqual([...strengths].sort((a, b) => b - a))
  expect(strengths[0]).toBeGreaterThan(0.05)
  expect(strengths[0]).toBeLessThanOrEqual(1)
  expect(summary.weakShare).toBeCloseTo(strengths.filter((strength) => strength <= 0.3).length / 12, 10)
  const [first] = rows
  if (!first) throw new Error('there are no rows')
  const { feature, ...best } = first
  const { featureIndex } = feature
  expect(await client.call('neurons.feature', { saeId, featureIndex })).toEqual({ summary, best })
  const { label, density, topToken } = await client.call('features.get', { saeId, featureIndex })
  expect(feature).toEqual({ featureIndex, label, density, topToken })
  const drawn = new Set(rows.map((row) => row.feature.featureIndex))
  const { rows: all } = await client.call('features.list', { saeId, limit: 500 })
  const other = all.find((row) => !drawn.has(row.featureIndex))?.featureIndex ?? -1
  expect(await client.call('neurons.feature', { saeId, featureIndex: other })).toEqual({ summary, best: null })
  expect((await client.call('neurons.get', { saeId, limit: 2 }))?.rows).toEqual(rows.slice(0, 2))
}
