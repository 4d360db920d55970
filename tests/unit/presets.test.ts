/** Suggested settings must be valid ones, whatever the model and the text. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArchitectureName, TrainConfig } from '../../src/shared/domain'
import { presetFor, trainingSteps } from '../../src/shared/presets'
import { requirePossible } from '../../src/shared/training-rules'

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

  it('is a configuration that can be trained, whatever the model, the text and the architecture', () => {
    const inputs = fc.record({
      dModel: fc.integer({ min: 1, max: 16_384 }),
      layers: fc.integer({ min: 1, max: 200 }),
      contextSize: fc.integer({ min: 8, max: 200_000 }),
      datasetBytes: fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 2 ** 50 })),
      architecture: fc.constantFrom(...ArchitectureName.options),
    })
    fc.assert(
      fc.property(inputs, (input) => {
        const config = presetFor({ ...base, ...input })
        expect(TrainConfig.parse(config)).toEqual(config)
        expect(config.architecture).toBe(input.architecture)
        requirePossible(config)
        expect(config.bufferTokens).toBeGreaterThanOrEqual(2 * config.batchTokens)
        expect(config.bandwidth).toBeLessThanOrEqual(2 * config.initialThreshold)
      }),
      { numRuns: 500 },
    )
  })

  it('lets penalties grow with the width of the model, and k up to 32', () => {
    const at = (dModel: number, architecture: ArchitectureName) => presetFor({ ...base, dModel, architecture })
    expect([64, 256, 4096].map((dModel) => at(dModel, 'standard').l1Coefficient)).toEqual([1, 2, 5])
    expect([64, 256, 4096].map((dModel) => at(dModel, 'gated').l1Coefficient)).toEqual([2, 4, 10])
    expect([64, 256, 4096].map((dModel) => at(dModel, 'jumprelu').l0Coefficient)).toEqual([0.2, 0.8, 5])
    expect([16, 64, 256, 4096].map((dModel) => at(dModel, 'topk').k)).toEqual([4, 8, 32, 32])
  })

  it('counts steps up to the tokens asked for', () => {
    expect(trainingSteps({ trainingTokens: 1000, batchTokens: 300 })).toBe(4)
    expect(trainingSteps({ trainingTokens: 10, batchTokens: 300 })).toBe(1)
  })
})
