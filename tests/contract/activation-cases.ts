/** Calls about sets of activations on disk, over a real workspace, worker and model. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { ActivationSet, Job, Run } from '../../src/shared/domain'
import { tinyConfig } from '../fixtures/built'

type Ids = { modelId: number; datasetId: number }

const HOOKS = ['blocks.2.hook_resid_post', 'blocks.1.hook_mlp_out']
const wanted = ({ modelId, datasetId }: Ids) => ({
  ...{ modelId, datasetId, hookNames: HOOKS, tokens: 6000, contextSize: 64 },
})

/** The job as it ended. */
function ended(client: MonoscopeClient, jobId: number | null): Promise<Job> {
  return new Promise((resolve, reject) => {
    let last: Job | undefined
    client.feed(
      'jobs.watch',
      { jobId: jobId ?? 0 },
      (job) => (last = job),
      (error) => (last && !error ? resolve(last) : reject(error ?? new Error('no job'))),
    )
  })
}

/** Bytes of everything below a folder. */
const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)

/** Quotes, collects, lists, and refuses what makes no sense. @returns the set */
export async function collectActivations(client: MonoscopeClient, ids: Ids, workspace: string): Promise<ActivationSet> {
  const input = wanted(ids)
  const quote = await client.call('activations.quote', input)
  expect(quote.tokens).toBe(6300)
  expect(quote.freeBytes).toBeGreaterThan(quote.bytes)
  const set = await client.call('activations.start', { ...input, seed: 2, name: 'two places' })
  // Whoever asks meanwhile gets the same set, and one that is being collected stays.
  expect((await client.call('activations.start', { ...input, seed: 2 })).id).toBe(set.id)
  await expect(client.call('activations.remove', { activationsId: set.id })).rejects.toMatchObject({ code: 'in-use' })
  expect(await ended(client, set.jobId)).toMatchObject({ kind: 'collect', state: 'done', failure: null })
  const [found] = await client.call('activations.list', {})
  expect(found).toMatchObject({ id: set.id, name: 'two places', state: 'done', dIn: 64, hookNames: HOOKS.toReversed() })
  const folder = join(workspace, 'activations', String(set.id))
  expect(Math.abs(bytesIn(folder) - quote.bytes) / quote.bytes).toBeLessThan(0.02)
  expect(found?.storedTokens).toBeGreaterThan(0.98 * quote.tokens)
  const again = await client.call('activations.start', { ...input, seed: 2 })
  expect(again).toEqual(found)
  const odd = (hookName: string) => client.call('activations.start', { ...input, hookNames: [hookName] })
  await expect(odd('blocks.7.hook_resid_post')).rejects.toMatchObject({ code: 'hook-unknown' })
  await expect(odd('anywhere')).rejects.toMatchObject({ code: 'hook-unknown' })
  const narrow = await odd('blocks.0.mlp.hook_post')
  const refused = await ended(client, narrow.jobId)
  expect(refused).toMatchObject({ state: 'failed', failure: { code: 'activations-hook' } })
  await client.call('activations.remove', { activationsId: narrow.id })
  const missing = { ...input, modelId: 99 }
  await expect(client.call('activations.quote', missing)).rejects.toMatchObject({ code: 'not-found' })
  await expect(client.call('models.remove', { modelId: ids.modelId })).rejects.toMatchObject({ code: 'in-use' })
  return again
}

/** Trains on a set without running the model, and deletes both. */
export async function trainOnActivations(client: MonoscopeClient, ids: Ids, workspace: string): Promise<void> {
  const [set] = await client.call('activations.list', {})
  const activationsId = set?.id ?? 0
  const config = { ...tinyConfig(ids.modelId, ids.datasetId, 60), activationsId }
  const start = (changes: Partial<typeof config>): Promise<Run> =>
    client.call('runs.start', { name: 'from disk', config: { ...config, ...changes }, atlas: false })
  await expect(start({ activationsId: 99 })).rejects.toMatchObject({ code: 'not-found' })
  await expect(start({ hookName: 'blocks.0.hook_resid_post' })).rejects.toMatchObject({
    code: 'activations-unsuitable',
  })
  const run = await start({})
  expect(await ended(client, run.jobId)).toMatchObject({ state: 'done', failure: null })
  const { summary } = await client.call('runs.get', { runId: run.id })
  // 60 steps of 256 tokens go over the 6,000 tokens of the set more than twice.
  expect(summary?.explainedVariance).toBeGreaterThan(0.3)
  expect(summary?.heldOutTokens).toBeGreaterThan(200)
  await client.call('runs.remove', { runId: run.id })
  await client.call('activations.remove', { activationsId })
  expect(existsSync(join(workspace, 'activations', String(activationsId)))).toBe(false)
  expect(await client.call('activations.list', {})).toEqual([])
}
