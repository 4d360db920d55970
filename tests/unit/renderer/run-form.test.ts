/** The form of a new run: reading typed numbers, problems with a value that works, and what a run takes. */
import { describe, expect, it } from 'vitest'
import {
  checkForm,
  costOf,
  fillForm,
  fitPoint,
  NUMBER_FIELDS,
  parseHook,
  parseNumber,
  pointsOf,
  suggestName,
  type NumberField,
  type RunForm,
} from '../../../src/renderer/views/runs/run-form'
import { makeConfig, makeDataset, makeModel } from './fake-runs'

const MEMORY = 16e9
const model = makeModel(1)

function makeForm(change: Partial<RunForm> = {}): RunForm {
  const form: RunForm = {
    ...{ modelId: 1, datasetId: 1, layer: 0, point: 'hook_resid_pre', name: 'first', atlas: true },
    ...{ dSae: '', l1Coefficient: '', learningRate: '', batchTokens: '', trainingTokens: '' },
    ...{ contextSize: '', bufferTokens: '', seed: '' },
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

  it('offer values that work, for every field', () => {
    for (const field of NUMBER_FIELDS) {
      for (const text of ['', 'x', '-1', '0', '0.5', '1e15']) {
        const found = problem(field, text)
        if (!found || found.kind === 'empty') continue
        expect(problem(field, String(found.works)), `${field} ${text}`).toBeUndefined()
      }
    }
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
  })
})
