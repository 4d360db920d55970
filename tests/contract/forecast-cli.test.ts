/** `train --forecast`: says what a run would take and starts none. */
import { expect, it } from 'vitest'
import { Forecast } from '../../src/shared/domain'
import { lastJson, missingModel } from '../fixtures/built'
import { commandLine } from '../fixtures/command-line'

const say = commandLine('forecast')

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
