/** Options of `train` for single architectures: read, held against their limits, laid over a preset, refused where they mean nothing. */
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addSettingOptions, unusedOption, withSettings, type SettingOptions } from '../../src/main/cli/train-options'
import { presetFor } from '../../src/shared/presets'

/** What commander makes of a command line, or what it says against it. */
function read(...args: string[]): SettingOptions | string {
  let said = ''
  const command = addSettingOptions(new Command('train').exitOverride()).configureOutput({
    writeErr: (text) => (said += text),
  })
  try {
    return command.parse(args, { from: 'user' }).opts<SettingOptions>()
  } catch {
    return said
  }
}

const BASE = { modelId: 1, datasetId: 1, dModel: 64, layers: 5, contextSize: 512, datasetBytes: 1_400_000 }

/** The config that a command line makes of the preset. */
function configOf(...args: string[]) {
  const options = read(...args)
  if (typeof options === 'string') throw new Error(options)
  expect(unusedOption(options)).toBeNull()
  const { architecture = 'standard' } = options
  return withSettings(presetFor({ ...BASE, architecture }), options)
}

describe('options of train', () => {
  it('leave the preset as it is when none is given', () => {
    expect(configOf()).toEqual(presetFor(BASE))
  })

  it('set what the architecture uses', () => {
    expect(configOf('--architecture', 'topk', '--k', '20', '--aux', '0', '--aux-k', '16')).toMatchObject({
      ...{ architecture: 'topk', k: 20, auxCoefficient: 0, auxK: 16 },
    })
    expect(configOf('--architecture', 'matryoshka_batchtopk', '--widths', '32, 128,512')).toMatchObject({
      ...{ architecture: 'matryoshka_batchtopk', matryoshkaWidths: [32, 128, 512] },
    })
    const threshold = ['--bandwidth', '0.2', '--threshold', '1e-2', '--threshold-form', 'log']
    expect(configOf('--architecture', 'jumprelu', '--l0', '10', '--target-l0', '8.5', ...threshold)).toMatchObject({
      ...{ l0Coefficient: 10, targetL0: 8.5, bandwidth: 0.2, initialThreshold: 0.01, thresholdForm: 'log' },
    })
    const start = ['--decoder-norm', '0.5', '--b-dec', 'mean', '--dead-tokens', '5000', '--resample']
    expect(configOf('--architecture', 'gated', ...start)).toMatchObject({
      ...{ decoderInitNorm: 0.5, bDecInit: 'mean', deadTokens: 5000, resampleDead: true },
    })
  })

  it.each([
    [['--k', '0'], 'Give at least 1.'],
    [['--k', '1e9'], 'Give at most 131072.'],
    [['--k', '2.5'], 'Give a whole number.'],
    [['--k', 'many'], 'It is not a number.'],
    [['--bandwidth', '0'], 'Give more than 0.'],
    [['--aux', '-1'], 'Give at least 0.'],
    [['--widths', '32,x'], 'Give at most eight whole numbers'],
    [['--widths', ''], 'Give at most eight whole numbers'],
    [['--architecture', 'transcoder'], 'Allowed choices are standard, topk'],
    [['--threshold-form', 'square'], 'Allowed choices are direct, log'],
    [['--b-dec', 'median'], 'Allowed choices are zero, mean, geometric_median'],
  ])('refuse %j with the value that would do', (args, sentence) => {
    expect(read(...args)).toContain(sentence)
  })

  it('are refused where the architecture ignores them', () => {
    expect(unusedOption({ k: 3 })).toMatch(/^--k means nothing to the architecture standard/)
    expect(unusedOption({ architecture: 'topk', l1: 3 })).toMatch(/^--l1 /)
    expect(unusedOption({ architecture: 'topk', resample: true })).toMatch(/^--resample /)
    expect(unusedOption({ architecture: 'gated', targetL0: 3 })).toMatch(/^--target-l0 /)
    expect(unusedOption({ architecture: 'topk', widths: [8] })).toMatch(/^--widths /)
    expect(unusedOption({ architecture: 'topk', bDec: 'zero', deadTokens: 100, k: 3 })).toBeNull()
  })
})
