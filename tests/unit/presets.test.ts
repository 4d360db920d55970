/** Suggested settings must be valid ones, whatever the model and the text. */
import { describe, expect, it } from 'vitest'
import { TrainConfig } from '../../src/shared/domain'
import { presetFor, trainingSteps } from '../../src/shared/presets'

const base = { modelId: 1, datasetId: 2, layers: 5, dModel: 64, contextSize: 512, datasetBytes: 1_375_109 }

describe('presetFor', () => {
  it('suits the small stories model', () => {
    expect(presetFor(base)).toMatchObject({
      hookName: 'blocks.2.hook_resid_post',
      dSae: 512,
      batchTokens: 1024,
      l1Coefficient: 1,
    })
    expect(trainingSteps(presetFor(base))).toBe(1200)
  })

  it('is always a valid configuration', () => {
    for (const dModel of [8, 64, 288, 768, 4096]) {
      for (const datasetBytes of [1, 1000, 50_000, 1e7, 1e12]) {
        for (const contextSize of [16, 2048]) {
          const config = presetFor({ ...base, dModel, datasetBytes, contextSize, layers: 1 })
          expect(TrainConfig.safeParse(config).error).toBeUndefined()
          expect(config.bufferTokens).toBeGreaterThanOrEqual(2 * config.batchTokens)
        }
      }
    }
  })

  it('counts steps up to the tokens asked for', () => {
    expect(trainingSteps({ trainingTokens: 1000, batchTokens: 300 })).toBe(4)
    expect(trainingSteps({ trainingTokens: 10, batchTokens: 300 })).toBe(1)
  })
})
