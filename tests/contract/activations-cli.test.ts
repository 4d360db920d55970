/** Activations from the command line: collect, list, train on them, remove. */
import { describe, expect, it } from 'vitest'
import { lastJson, missingModel } from '../fixtures/built'
import { commandLine } from '../fixtures/command-line'

const HOOKS = ['blocks.1.hook_resid_post', 'blocks.2.hook_resid_post']
const say = commandLine('activations')

describe.skipIf(missingModel)('activations on the command line', () => {
  const collect = (...args: string[]) => say('activations', 'collect', '--tokens', '4000', '--context', '64', ...args)

  it('are collected with their size told before, and listed', async () => {
    const hooks = HOOKS.flatMap((hook) => ['--hook', hook])
    const { code, stdout, stderr } = await collect('--name', 'two places', ...hooks)
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('"two places": done') as string })
    expect(stderr).toContain('4,200 tokens at each hook point, 1,142,400 bytes on disk')
    const listed = await say('--json', 'activations', 'list')
    expect(lastJson(listed.stdout)).toMatchObject({ id: 1, state: 'done', hookNames: HOOKS, dIn: 64 })
    const again = await collect(...hooks)
    expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 0, stdout })
  })

  it('are trained on, at a place they have', async () => {
    const settings = ['--d-sae', '64', '--batch-tokens', '256', '--steps', '12', '--no-atlas']
    const trained = await say('--json', 'train', '--activations', 'two places', ...settings)
    expect(trained.code).toBe(0)
    expect(lastJson(trained.stdout)).toMatchObject({ state: 'done', config: { activationsId: 1, modelId: 1 } })
    const elsewhere = await say('train', '--activations', '1', '--hook', 'blocks.0.hook_resid_pre', ...settings)
    expect(elsewhere.code).toBe(1)
    expect(elsewhere.stderr).toContain('has another hook point than this run asks for')
  })

  it('are refused in a sentence, and removed', async () => {
    const unknown = await collect('--hook', 'blocks.9.hook_resid_post')
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toContain('blocks.9.hook_resid_post')
    expect((await say('activations', 'collect')).code).toBe(2)
    expect((await say('activations', 'remove', '1')).code).toBe(0)
    expect((await say('activations', 'list')).stdout).toContain('nothing')
    expect((await say('activations', 'remove', '1')).code).toBe(1)
  })
})
