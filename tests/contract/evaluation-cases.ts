/** Evaluating an autoencoder over the contract. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Job } from '../../src/shared/domain'

export async function evaluateSae(
  client: MonoscopeClient,
  { saeId, datasetId }: { saeId: number; datasetId: number },
): Promise<void> {
  const find = async () => (await client.call('saes.list', {})).find(({ id }) => id === saeId)
  expect((await find())?.quality).toBeNull()
  const { id: jobId, kind } = await client.call('evaluations.start', { saeId, datasetId })
  expect(kind).toBe('evaluate')
  const seen: Job[] = []
  await new Promise<void>((resolve, reject) => {
    const onEnd = (error?: Error) => (error ? reject(error) : resolve())
    client.feed('jobs.watch', { jobId }, (job) => seen.push(job), onEnd)
  })
  const last = seen.at(-1)
  expect(last).toMatchObject({ state: 'done', failure: null })
  expect(last?.done).toBe(last?.total)
  const quality = (await find())?.quality
  if (!quality) throw new Error('the evaluation was not stored')
  expect(quality.tokens).toBeGreaterThan(100)
  expect(quality.explainedVariance).toBeGreaterThan(0)
  expect(quality.ceClean).toBeLessThan(quality.ceSpliced)
  expect(quality.ceSpliced).toBeLessThan(quality.ceZero)
}
