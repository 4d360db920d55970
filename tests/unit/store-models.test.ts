/** Rows of models: everything found out about a folder comes back, and comes anew when the folder is added again. */
import { expect, it } from 'vitest'
import type { NewModel } from '../../src/main/store/models'
import { temporaryStore } from '../fixtures/samples'

const FOUND: NewModel = {
  ...{
    name: 'a',
    path: '/models/a',
    family: 'gpt_neox',
    layers: 1,
    dModel: 4,
    heads: 2,
    vocabulary: 9,
    contextSize: 8,
  },
  ...{ dtype: 'float16', parameters: 10, weightBytes: 20, memoryBytes: 76, absentHooks: ['hook_resid_mid'] },
  ...{
    unusedTensors: { count: 12, first: ['x', 'y'] },
    nanTensors: { count: 1, first: ['z'] },
    hasChatTemplate: false,
    textStart: 'own' as const,
    startTokens: { own: null, bos: '<s>' },
  },
  ...{ sha256: 'abc', source: 'hub:org/a@123' },
}

it('a model comes back as it was found', () => {
  const { models } = temporaryStore()
  const { id, addedAt } = models.add(FOUND)
  expect(models.get(id)).toEqual({ ...FOUND, id, addedAt })
  expect(models.list()).toEqual([{ ...FOUND, id, addedAt }])
})

it('a folder that is added again tells what it holds now, under its old name and source', () => {
  const { models } = temporaryStore()
  const first = models.add(FOUND)
  const found = { memoryBytes: 80, hasChatTemplate: true, nanTensors: { count: 0, first: [] } }
  expect(models.add({ ...FOUND, ...found, name: 'b', source: null })).toEqual({ ...first, ...found })
  expect(models.add({ ...FOUND, ...found, source: 'hub:org/a@456' }).source).toBe('hub:org/a@456')
  expect(models.list()).toHaveLength(1)
})
