/** `train --forecast`: says what a run would take and starts none. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Forecast } from '../../src/shared/domain'
import {
  buildEntries,
  lastJson,
  missingModel,
  modelFolder,
  removeEntries,
  smallCorpus,
  startHeadless,
} from '../fixtures/built'

let folder = ''
const say = (...args: string[]) => startHeadless(['--workspace', join(folder, 'workspace'), ...args]).ended

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-forecast-cli-'))
  if (missingModel) return
  await buildEntries()
  await say('models', 'add', modelFolder)
  await say('datasets', 'add', smallCorpus(join(folder, 'stories.jsonl'), 60))
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

const settings = ['--d-sae', '64', '--batch-tokens', '256', '--steps', '12', '--forecast']

it.skipIf(missingModel)('prints the forecast in words and as an object, and starts no run', async () => {
  const { code, stdout } = await say('train', ...settings)
  expect(code).toBe(0)
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^About [\d,]+ s: start [\d.]+ s, activations [\d.]+ s/),
    expect.stringMatching(/^One step [\d.]+ ms/),
    expect.stringMatching(/^Memory at most [\d,]+ MB, [\d,]+ MB are free; disk [\d,]+ MB/),
  ])
  const asObject = await say('--json', 'train', ...settings, '--architecture', 'topk')
  expect(Forecast.parse(lastJson(asObject.stdout)).denseStepMs).toBeNull()
  expect((await say('--json', 'runs', 'list')).stdout.trim()).toBe('')
})

it.skipIf(missingModel)('refuses a place the model does not have', async () => {
  const { code, stderr } = await say('train', ...settings, '--hook', 'blocks.9.hook_resid_post')
  expect(code).toBe(1)
  expect(stderr).toContain('blocks.9.hook_resid_post')
})
