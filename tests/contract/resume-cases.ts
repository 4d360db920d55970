/** Stopping a training and going on with it over the contract. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { RunEvent } from '../../src/shared/contract/runs'
import type { TrainConfig } from '../../src/shared/domain'

/** Everything a run's feed says until it has ended. */
const watch = (client: MonoscopeClient, runId: number): Promise<RunEvent[]> =>
  new Promise((resolve, reject) => {
    const events: RunEvent[] = []
    client.feed(
      'runs.watch',
      { runId },
      (event) => events.push(event),
      (error) => (error ? reject(error) : resolve(events)),
    )
  })

/** @param config of a training that takes long */
export async function cancelTraining(client: MonoscopeClient, config: TrainConfig): Promise<void> {
  const { datasetId } = config
  const run = await client.call('runs.start', { name: 'long', config, atlas: false })
  await expect
    .poll(async () => (await client.call('runs.get', { runId: run.id })).step, { timeout: 60_000 })
    .toBeGreaterThan(1)
  const late = await client.call('runs.start', { name: 'waits', config })
  await client.call('jobs.cancel', { jobId: late.jobId ?? 0 })
  await client.call('runs.cancel', { runId: run.id })
  expect((await watch(client, run.id)).pop()?.run).toMatchObject({ state: 'cancelled' })
  const partial = (await client.call('saes.list', {})).find((sae) => sae.runId === run.id)
  expect(partial).toMatchObject({ partial: true })
  const job = await client.call('atlas.start', { saeId: partial?.id ?? 0, datasetId })
  const states: string[] = []
  await new Promise<void>((resolve, reject) => {
    const onEnd = (error?: Error) => (error ? reject(error) : resolve())
    client.feed('jobs.watch', { jobId: job.id }, ({ state }) => states.push(state), onEnd)
  })
  expect(states.pop()).toBe('done')
}

/** @param config of a training that takes a few seconds */
export async function resumeTraining(client: MonoscopeClient, config: TrainConfig): Promise<void> {
  const { id: runId, steps } = await client.call('runs.start', { name: 'stopped', config, atlas: false })
  await expect(client.call('runs.resume', { runId })).rejects.toMatchObject({ code: 'run-not-resumable' })
  const waiting = await client.call('runs.start', { name: 'waits', config, atlas: false })
  await client.call('runs.cancel', { runId: waiting.id })
  await expect(client.call('runs.resume', { runId: waiting.id })).rejects.toMatchObject({ code: 'checkpoint-missing' })
  await expect
    .poll(async () => (await client.call('runs.get', { runId })).step, { timeout: 60_000, interval: 5 })
    .toBeGreaterThan(10)
  await client.call('runs.cancel', { runId })
  const stopped = (await watch(client, runId)).pop()?.run
  expect(stopped).toMatchObject({ state: 'cancelled', canResume: true, resumeStep: stopped?.step })
  expect(stopped?.step).toBeLessThan(steps)
  const resumed = await client.call('runs.resume', { runId })
  expect(resumed).toMatchObject({ id: runId, step: stopped?.step, canResume: false, resumeStep: null, failure: null })
  expect(resumed.state).toMatch(/queued|running/)
  const events = await watch(client, runId)
  expect(events[events.length - 1]?.run).toMatchObject({ state: 'done', step: steps, failure: null })
  // The run has the points of one that never stopped.
  const whole = await client.call('runs.start', { name: 'whole', config, atlas: false })
  const pointsOf = (all: RunEvent[]) => all.flatMap(({ points }) => points)
  expect(pointsOf(events)).toEqual(pointsOf(await watch(client, whole.id)))
  const saes = await client.call('saes.list', {})
  const hashOf = (id: number) => saes.find((sae) => sae.runId === id)?.sha256
  expect(hashOf(runId)).toBe((await client.call('saes.list', {})).find((sae) => sae.runId === whole.id)?.sha256)
  expect(hashOf(runId)).toBeDefined()
  await expect(client.call('runs.resume', { runId })).rejects.toMatchObject({ code: 'run-not-resumable' })
}
