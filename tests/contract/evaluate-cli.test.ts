/** Evaluating an autoencoder from the command line: the figures for people and for programs, and refusals. */
import { describe, expect, it } from 'vitest'
import { Sae } from '../../src/shared/domain'
import { lastJson, missingModel } from '../fixtures/built'
import { commandLine } from '../fixtures/command-line'

const say = commandLine('evaluate')

describe.skipIf(missingModel)('evaluate', () => {
  it('says that there is nothing to evaluate', async () => {
    const { code, stderr } = await say('evaluate')
    expect(code).toBe(1)
    expect(stderr).toContain('SAE')
  })

  it('prints every figure with what it rests on', async () => {
    const settings = ['--d-sae', '64', '--batch-tokens', '256', '--steps', '30', '--context', '64', '--no-atlas']
    expect((await say('train', '--name', 'small', ...settings)).code).toBe(0)
    const { code, stdout } = await say('evaluate', '--sae', 'small')
    expect(code).toBe(0)
    expect(stdout).toMatch(/SAE 1 "small" on [\d,]+ tokens of stories, documents that were held out of its training:/)
    expect(stdout).not.toMatch(/[{}]|NaN|undefined/)
    expect(stdout.match(/\d+\.\d+/g)?.length).toBeGreaterThan(14)
    const again = await say('--json', 'evaluate')
    const { quality } = Sae.parse(lastJson(again.stdout))
    if (!quality) throw new Error('there are no figures')
    // The same weights and text give the same figures.
    for (const figure of [quality.explainedVariance, quality.ceClean, quality.ceSpliced, quality.kl])
      expect(stdout).toContain(figure.toFixed(4))
    expect((await say('--lang', 'ko', 'evaluate')).stdout).toContain('설명된 분산')
  }, 120_000)
})
