/** The form of a new run: reading typed numbers, problems with a value that works, and what a run takes. */
import { describe, expect, it } from 'vitest'
import {
  emptyNumbers,
  NUMBER_FIELDS,
  parseNumber,
  type NumberField,
} from '../../../src/renderer/views/runs/form-fields'
import {
  checkForm,
  costOf,
  fillForm,
  fillOwnFields,
  fitPoint,
  parseHook,
  pointsOf,
  suggestName,
  type RunForm,
} from '../../../src/renderer/views/runs/run-form'
import { ArchitectureName, type TrainConfig } from '../../../src/shared/domain'
import { presetFor } from '../../../src/shared/presets'
import { makeConfig, makeDataset, makeModel } from './fake-runs'

const MEMORY = 16e9
const model = makeModel(1)

function makeForm(change: Partial<RunForm> = {}): RunForm {
  const form: RunForm = {
    ...{ modelId: 1, datasetId: 1, activationsId: null, layer: 0, point: 'hook_resid_pre', name: 'first', atlas: true },
    ...{ architecture: 'standard', thresholdForm: 'direct', matryoshkaWidths: '', resampleDead: false, bDecInit: null },
    ...emptyNumbers(),
  }
  fillForm(form, makeConfig())
  return Object.assign(form, change)
}

describe('reading', () => {
  it('takes thousands separators and scientific notation, and nothing else', () => {
    expect(['1,536,000', ' 2e-4 ', '65_536', '5 000', '0'].map(parseNumber)).toEqual([1_536_000, 2e-4, 65_536, 5000, 0])
    for (const text of ['', ' ', 'x', '1,5', '1.2.3', '12,34']) expect(parseNumber(text)).toBeNaN()
  })

  it('gives back the config it was filled with', () => {
    expect(checkForm(makeForm(), model, MEMORY)).toEqual({ config: makeConfig(), problems: {} })
    expect(parseHook('blocks.11.hook_resid_mid')).toEqual({ layer: 11, point: 'hook_resid_mid' })
    expect(parseHook('blocks.1.mlp')).toBeNull()
  })

  it('is not ready without a model, a dataset or a name', () => {
    expect(checkForm(makeForm(), null, MEMORY).config).toBeNull()
    expect(checkForm(makeForm({ datasetId: null }), model, MEMORY).config).toBeNull()
    expect(checkForm(makeForm({ name: '  ' }), model, MEMORY)).toEqual({
      config: null,
      problems: { name: { kind: 'empty' } },
    })
  })
})

describe('hook points', () => {
  const neox = makeModel(2, { absentHooks: ['hook_resid_mid'] })

  it('are those that the model has', () => {
    expect(pointsOf(model)).toEqual(['hook_resid_pre', 'hook_resid_mid', 'hook_resid_post'])
    expect(pointsOf(neox)).toEqual(['hook_resid_pre', 'hook_resid_post'])
    expect(pointsOf(null)).toHaveLength(3)
  })

  it('move to the end of the block where they are absent, and no config comes of an absent one', () => {
    const form = makeForm({ point: 'hook_resid_mid' })
    expect(checkForm(form, neox, MEMORY).config).toBeNull()
    fitPoint(form, model)
    expect(form.point).toBe('hook_resid_mid')
    fitPoint(form, neox)
    expect(form.point).toBe('hook_resid_post')
    expect(checkForm(form, neox, MEMORY).config?.hookName).toMatch(/hook_resid_post$/)
  })
})

describe('problems', () => {
  const problem = (field: NumberField, text: string) =>
    checkForm(makeForm({ [field]: text }), model, MEMORY).problems[field]

  it('state the limit', () => {
    expect(problem('dSae', '3')).toEqual({ kind: 'tooSmall', limit: 8, works: 512 })
    expect(problem('dSae', '1e9')).toEqual({ kind: 'tooBig', limit: 131_072, works: 131_072 })
    expect(problem('learningRate', '0')).toMatchObject({ kind: 'tooSmall', limit: 0, works: 0.001 })
    expect(problem('seed', 'x')).toEqual({ kind: 'notNumber', works: 0 })
    expect(problem('batchTokens', '100.5')).toEqual({ kind: 'notInteger', works: 1024 })
  })

  it('know the model and the memory', () => {
    expect(problem('contextSize', '9999')).toEqual({ kind: 'overContext', limit: 512, works: 512 })
    expect(problem('bufferTokens', '2000')).toEqual({ kind: 'underBatch', limit: 2048, works: 8192 })
    expect(problem('bufferTokens', '90,000,000')).toEqual({ kind: 'overMemory', limit: MEMORY, works: 31_250_000 })
  })

  it('offer values that work, for every field of every architecture', () => {
    for (const architecture of ArchitectureName.options) {
      const found = (field: NumberField, text: string) =>
        checkForm(makeForm({ architecture, [field]: text }), model, MEMORY).problems[field]
      for (const field of NUMBER_FIELDS) {
        for (const text of ['', 'x', '-1', '0', '0.5', '600', '1e15']) {
          const problem = found(field, text)
          if (!problem || problem.kind === 'empty') continue
          expect(found(field, String(problem.works)), `${architecture} ${field} ${text}`).toBeUndefined()
        }
      }
    }
  })

  it('know the width of the dictionary', () => {
    const found = (change: Partial<RunForm>) => checkForm(makeForm({ dSae: '16', ...change }), model, MEMORY).problems
    expect(found({ architecture: 'topk', k: '17' })).toEqual({ k: { kind: 'overWidth', limit: 16, works: 16 } })
    expect(found({ architecture: 'topk', k: '16', auxK: '99' })).toEqual({
      auxK: { kind: 'overWidth', limit: 16, works: 16 },
    })
    expect(found({ architecture: 'jumprelu', targetL0: '16.5' })).toMatchObject({ targetL0: { kind: 'overWidth' } })
    expect(found({ architecture: 'standard', k: '17', auxK: '99', targetL0: '17' })).toEqual({})
  })

  it('say what is wrong with nested widths, and offer some that work', () => {
    const found = (matryoshkaWidths: string, dSae = '64') =>
      checkForm(makeForm({ architecture: 'matryoshka_batchtopk', matryoshkaWidths, dSae }), model, MEMORY).problems
    expect(found('')).toEqual({})
    expect(found('8, 64')).toEqual({})
    const problem = { matryoshkaWidths: { kind: 'widths', limit: 64, works: '4, 16, 64' } }
    for (const text of ['8', '64, 8', '8, 8, 64', 'x, 64', '0.5, 64', '-1 64', '1,2,3,4,5,6,7,8,64']) {
      expect(found(text), text).toEqual(problem)
    }
    expect(found('4, 16, 64')).toEqual({})
    expect(found('8, 64', 'x')).toEqual({ dSae: { kind: 'notNumber', works: 512 } })
  })
})

describe('architectures', () => {
  const presetOf = (architecture: ArchitectureName): TrainConfig =>
    presetFor({ modelId: 1, datasetId: 1, dModel: 64, layers: 5, contextSize: 512, datasetBytes: 1e6, architecture })

  it.each(ArchitectureName.options)('%s gives back every setting it was filled with', (architecture) => {
    const special = { targetL0: 12.5, auxK: 20, deadTokens: 50_000, bDecInit: 'mean' as const, activationsId: 3 }
    const nested = { matryoshkaWidths: [16, 512], thresholdForm: 'log' as const, bandwidth: 0.25 }
    const config = { ...presetOf(architecture), ...special, ...nested }
    const form = makeForm()
    fillForm(form, config)
    expect(checkForm(form, model, MEMORY)).toEqual({ config, problems: {} })
  })

  it('do not mind what stands in fields they do not use', () => {
    const junk = { k: 'x', auxK: '-1', bandwidth: '', matryoshkaWidths: 'y', resampleDead: true }
    expect(checkForm(makeForm({ ...junk, architecture: 'standard' }), model, MEMORY)).toMatchObject({
      config: { architecture: 'standard', resampleDead: true },
      problems: {},
    })
    const form = makeForm({ architecture: 'topk', resampleDead: true, decoderInitNorm: '', l1Coefficient: '' })
    expect(checkForm(form, model, MEMORY)).toMatchObject({ config: { resampleDead: false }, problems: {} })
  })

  it('take their own settings from a preset, and leave the others as typed', () => {
    const form = makeForm({ architecture: 'gated', l1Coefficient: '9', learningRate: '0.5', dSae: '600' })
    fillOwnFields(form, presetOf('gated'))
    expect(form).toMatchObject({ l1Coefficient: '2', learningRate: '0.5', dSae: '600' })
  })

  it('cost as many numbers per feature as they have', () => {
    const bytes = (architecture: ArchitectureName) =>
      costOf({ ...presetOf(architecture), dSae: 512 }, model, makeDataset(1)).saeBytes
    expect(bytes('jumprelu') - bytes('topk')).toBe(512 * 12)
    expect(bytes('gated') - bytes('standard')).toBe(2 * 512 * 12)
  })
})

describe('what it takes', () => {
  it('counts bytes of weights, moments and buffer', () => {
    const cost = costOf({ ...makeConfig(), dSae: 512, trainingTokens: 2_048_001 }, model, makeDataset(1))
    expect(cost.steps).toBe(2001)
    expect(cost.saeBytes).toBe((2 * 64 * 512 + 512 + 64) * 12)
    expect(cost.bufferBytes).toBe(makeConfig().bufferTokens * 64 * 4)
    expect(cost.modelBytes).toBe(model.memoryBytes)
    expect(cost.datasetTokens).toBe(350_000)
    expect(cost.passes).toBeCloseTo(5.85, 2)
  })

  it('is named after place and width', () => {
    expect(suggestName(makeForm({ layer: 2, point: 'hook_resid_post', dSae: '1,024' }), 'stories')).toBe(
      'stories-2-post-1024',
    )
    const nested = makeForm({ layer: 0, point: 'hook_resid_pre', dSae: '64', architecture: 'matryoshka_batchtopk' })
    expect(suggestName(nested, 'stories')).toBe('stories-0-pre-64-matryoshka')
  })
})
