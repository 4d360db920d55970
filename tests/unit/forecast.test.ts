/** What a training will take, computed from speeds that are given: no clock in it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { forecastOf } from '../../src/main/engine/measure/forecast'
import type { RunSizes, Speeds } from '../../src/main/engine/measure/forecast'
import { folderBytes } from '../../src/main/jobs/folder-bytes'
import { Forecast, TrainConfig } from '../../src/shared/training'
import { temporaryFolder } from '../fixtures/samples'

const CONFIG = TrainConfig.parse({
  ...{ modelId: 1, datasetId: 1, hookName: 'blocks.0.hook_resid_post', contextSize: 128, bufferTokens: 4000 },
  ...{ dSae: 512, l1Coefficient: 1, learningRate: 1e-3, batchTokens: 1000, trainingTokens: 200_000, seed: 0 },
})
const SPEEDS: Speeds = {
  ...{ route: 'sparse', stepMs: 10, denseStepMs: 50, collectTokensPerSecond: 1000, readTokensPerSecond: 10_000 },
  ...{ judgeTokensPerSecond: 100_000, startSeconds: 3 },
}
const SIZES: RunSizes = {
  ...{ dIn: 64, datasetTokens: 100_000, parameters: 66_112, modelBytes: 1e6, baseBytes: 2e8 },
  kernels: { start: 8e6, most: 9e6 },
}
const FREE = { freeMemoryBytes: 1e9, freeDiskBytes: 1e10, load: null }

const forecast = (
  changes: { config?: Partial<TrainConfig>; speeds?: Partial<Speeds>; sizes?: Partial<RunSizes> } = {},
): Forecast =>
  Forecast.parse(
    forecastOf(
      { ...CONFIG, ...changes.config },
      { ...SPEEDS, ...changes.speeds },
      { ...SIZES, ...changes.sizes },
      FREE,
    ),
  )

describe('forecast', () => {
  it('adds up its parts', () => {
    const { parts, seconds, collectedTokens } = forecast()
    // 95 % of the text to train on and 5 % to judge by; both are read once.
    expect(parts.start).toBeCloseTo(3 + 100_000 / 10_000, 9)
    // Once for the cache, a little for the scale, and the held-out tokens.
    expect(collectedTokens).toBe(95_000 + 8192 + 5000)
    expect(parts.collect).toBeCloseTo(108.192, 9)
    // 20 of 200 steps are dense.
    expect(parts.steps).toBeCloseTo((20 * 50 + 180 * 10) / 1000, 9)
    // 51 evaluations along the way, one every fourth step and after the last, and two whole ones with their firing shares.
    expect(parts.judge).toBeCloseTo((51 * 5000 + 3 * 5000) / 100_000, 9)
    expect(seconds).toBeCloseTo(parts.start + parts.collect + parts.steps + parts.judge, 9)
  })

  it('counts no dense steps when k is fixed', () => {
    const { parts } = forecast({ config: { architecture: 'topk' }, speeds: { denseStepMs: null } })
    expect(parts.steps).toBeCloseTo(2, 9)
  })

  it('collects anew for every pass when the activations do not fit the cache', () => {
    const sizes = { dIn: 8192 }
    const once = forecast({ sizes: { ...sizes, datasetTokens: 10_000 } })
    // Training goes over all the text, 9500 tokens, twenty times and more, but each is computed once.
    expect(once.collectedTokens).toBe(9500 + 8192 + 500)
    const often = forecast({ sizes: { ...sizes, datasetTokens: 40_000 } })
    expect(often.collectedTokens).toBe(200_000 + 4000 + 8192 + 2000)
  })

  it('runs no model for activations on disk', () => {
    const speeds = { collectTokensPerSecond: null, readTokensPerSecond: null }
    const found = forecast({ config: { activationsId: 1 }, speeds, sizes: { modelBytes: 0 } })
    expect(found).toMatchObject({ collectedTokens: 0, collectTokensPerSecond: null })
    expect(found.parts).toMatchObject({ start: 3, collect: 0 })
    expect(found.memoryBytes).toBeLessThan(forecast().memoryBytes)
  })

  it.each([
    ['more tokens', { config: { trainingTokens: 400_000 } }, ['seconds', 'diskBytes']],
    ['slower passes', { speeds: { collectTokensPerSecond: 500 } }, ['seconds']],
    ['slower steps', { speeds: { stepMs: 11 } }, ['seconds']],
    ['slower judging', { speeds: { judgeTokensPerSecond: 50_000 } }, ['seconds']],
    ['a larger model', { sizes: { modelBytes: 1e9 } }, ['memoryBytes']],
    ['larger kernels', { sizes: { kernels: { start: 1e9, most: 2e9 } } }, ['memoryBytes']],
    ['a larger process', { sizes: { baseBytes: 3e8 } }, ['memoryBytes']],
    ['a larger buffer', { config: { bufferTokens: 1_000_000 } }, ['seconds', 'memoryBytes', 'diskBytes']],
    ['more parameters', { sizes: { parameters: 1_000_000 } }, ['memoryBytes', 'diskBytes']],
    ['a wider model', { sizes: { dIn: 128 } }, ['memoryBytes', 'diskBytes']],
  ] as const)('grows with %s', (_, change, keys) => {
    const sizes = { dIn: 8192, datasetTokens: 40_000 }
    const isLarge = keys.length === 3
    const before = forecast(isLarge ? { sizes } : {})
    const after = forecast(isLarge ? { ...change, sizes } : change)
    for (const key of ['seconds', 'memoryBytes', 'diskBytes'] as const) {
      const more = after[key] - before[key]
      if (keys.some((one) => one === key)) expect(more).toBeGreaterThan(0)
      else if (!isLarge && key !== 'memoryBytes') expect(more).toBe(0)
    }
  })

  it('counts a checkpoint, two autoencoders and the curves on disk', () => {
    const bytes = 4 * (3 * 66_112 + 4000 * 65 + 2 * 512 + 2 * 66_112)
    expect(forecast().diskBytes).toBeGreaterThan(bytes)
    expect(forecast().diskBytes).toBeLessThan(bytes + 200_000)
  })

  it('stays finite for the largest runs', () => {
    const config = { trainingTokens: 1e12, batchTokens: 16, dSae: 131_072, bufferTokens: 1e8 }
    for (const value of Object.values(forecast({ config, sizes: { kernels: null } }).parts)) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(Number.isFinite(value)).toBe(true)
    }
  })
})

describe('size of a folder', () => {
  it('adds the files of all subfolders', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'deep', 'deeper'), { recursive: true })
    writeFileSync(join(folder, 'one'), 'abc')
    writeFileSync(join(folder, 'deep', 'deeper', 'two'), 'defgh')
    expect(folderBytes(folder)).toBe(8)
    expect(folderBytes(join(folder, 'absent'))).toBe(0)
  })
})
