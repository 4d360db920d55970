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
  // Labels come with the demo, in both languages, the asked one chosen; what people wrote instead stays.
  const place = { saeId: saes[0]?.id ?? 0, featureIndex: 545 }
  const chosen = await client.call('features.label', { ...place, text: '', author: '' })
  expect(chosen.map(({ text, author }) => [text, author])).toEqual([
    ['Day of the month in dates like 2022-06-19', 'Monoscope'],
    ['2022-06-19 같은 날짜의 일', 'Monoscope'],
  ])
  await client.call('features.label', { ...place, text: 'mine', author: 'me' })
  expect(run).toMatchObject({ config: { modelId: model.id, datasetId: dataset.id, architecture: 'batchtopk' } })
  expect(atlasJob).toMatchObject({ kind: 'atlas', saeId: saes[0]?.id })
  // It came with the autoencoder: nothing is computed, and the training waits for it.
  const jobs = () => client.call('jobs.list', {})
  const stateOf = async () => (await jobs()).find(({ id }) => id === atlasJob?.id)?.state
  await expect.poll(stateOf, { timeout: 60_000 }).toBe('done')
  const { alive, total } = await client.call('features.list', { saeId: place.saeId, limit: 1 })
  expect([alive, total]).toEqual([4096, 4096])
  const again = await client.call('demo.start', {})
  expect(again.atlasJob).toBeNull()
  const unbuilt = again.saes.map((sae) => ({ ...sae, atlas: null }))
  expect([again.model, again.dataset, again.sample, unbuilt]).toEqual([model, dataset, sample, saes])
  const kept = await client.call('features.label', { ...place, text: 'mine', author: 'me' })
  expect(kept.map(({ text, chosen: isChosen }) => [text, isChosen])[0]).toEqual(['mine', true])
  expect(kept).toHaveLength(3)
  for (const { id, jobId } of [again.run, run]) {
    const state = (await client.call('runs.get', { runId: id })).state
    if (state === 'queued') await client.call('jobs.cancel', { jobId: jobId ?? 0 })
    else await client.call('runs.cancel', { runId: id })
  }
  const areOver = async () => (await jobs()).every(({ state }) => !['queued', 'running', 'cancelling'].includes(state))
  await expect.poll(areOver, { timeout: 60_000 }).toBe(true)
}
