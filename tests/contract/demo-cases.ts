/** The bundled demo over the contract: everything it brings, twice, without waiting for its training. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'

export async function startDemo(client: MonoscopeClient): Promise<void> {
  const { model, dataset, sample, saes, run, atlasJob } = await client.call('demo.start', {})
  expect(model).toMatchObject({ name: 'monoscope-demo', family: 'llama' })
  expect(sample.documents).toBeGreaterThan(dataset.documents)
  expect(saes.map((sae) => [sae.modelId, sae.runId, sae.dIn])).toEqual(saes.map(() => [model.id, null, model.dModel]))
  for (const { quality, summary } of saes) {
    expect(quality?.explainedVariance).toBeGreaterThan(0.7)
    expect(quality?.l0).toBeLessThanOrEqual(64)
    expect(summary?.deadFraction).toBeLessThan(0.2)
  }
  expect(run).toMatchObject({ config: { modelId: model.id, datasetId: dataset.id, architecture: 'batchtopk' } })
  expect(atlasJob).toMatchObject({ kind: 'atlas', saeId: saes[0]?.id })
  const again = await client.call('demo.start', {})
  expect([again.model, again.dataset, again.sample, again.saes]).toEqual([model, dataset, sample, saes])
  for (const { id, jobId } of [again.run, run]) {
    const state = (await client.call('runs.get', { runId: id })).state
    if (state === 'queued') await client.call('jobs.cancel', { jobId: jobId ?? 0 })
    else await client.call('runs.cancel', { runId: id })
  }
  for (const job of [atlasJob, again.atlasJob]) if (job) await client.call('jobs.cancel', { jobId: job.id })
  const areOver = async () =>
    (await client.call('jobs.list', {})).every(({ state }) => !['queued', 'running', 'cancelling'].includes(state))
  await expect.poll(areOver, { timeout: 60_000 }).toBe(true)
}
