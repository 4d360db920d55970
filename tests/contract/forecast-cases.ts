/** A forecast over the contract: by the real worker, kept with the run it was made for, beside what that run took. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Run, TrainConfig } from '../../src/shared/domain'

async function finish(client: MonoscopeClient, config: TrainConfig): Promise<Run> {
  const { id: runId } = await client.call('runs.start', { name: 'foreseen', config, atlas: false })
  const state = async () => (await client.call('runs.get', { runId })).state
  await expect.poll(state, { timeout: 60_000 }).toBe('done')
  const run = await client.call('runs.get', { runId })
  await client.call('runs.remove', { runId })
  return run
}

/** @param config of a short training */
export async function forecastTraining(client: MonoscopeClient, config: TrainConfig): Promise<void> {
  const before = await client.call('runs.list', {})
  const forecast = await client.call('runs.forecast', { config })
  expect(await client.call('runs.list', {})).toEqual(before)
  expect(forecast.collectTokensPerSecond).toBeGreaterThan(0)
  expect(forecast.freeDiskBytes).toBeGreaterThan(0)
  const run = await finish(client, config)
  expect(run.forecast).toEqual(forecast)
  // Neither rests on a clock: the process is never smaller than an empty one, and the files are what was written.
  expect(run.actual?.peakMemoryBytes).toBeGreaterThan(50e6)
  expect(forecast.memoryBytes).toBeGreaterThan(50e6)
  expect(run.actual?.diskBytes).toBeGreaterThan(0.3 * forecast.diskBytes)
  expect(run.actual?.diskBytes).toBeLessThan(3 * forecast.diskBytes)
  const other = await finish(client, { ...config, seed: config.seed + 1 })
  expect(other.forecast).toBeNull()
  await expect(client.call('runs.forecast', { config: { ...config, activationsId: 99 } })).rejects.toMatchObject({
    code: 'not-found',
  })
}
