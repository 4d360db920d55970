/** The calibration before a run, on wasm: what it measures is there, finite and of the right route; never how fast it is. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { measureCollecting, measureTraining } from '../../src/main/engine/measure/calibrate'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { memoryReport } from '../../src/main/engine/tf'
import { modelSource } from '../../src/main/engine/train/activations'
import { collectCorpus } from '../../src/main/engine/train/contexts'
import { forecastRun } from '../../src/main/tasks/forecast'
import { ArchitectureName, Forecast, TrainConfig } from '../../src/shared/training'
import { openTestBackend, reportSkip, storiesFolder } from './goldens'
import { TOY, toyModel, toyTokenizer, TOY_TOKENS } from './toy-model'

const backend = await openTestBackend('wasm')
const stories = storiesFolder()
if (!stories) reportSkip('the forecast of a run', 'the stories260K model is absent')

const CONFIG = TrainConfig.parse({
  ...{ modelId: 1, datasetId: 1, hookName: 'blocks.2.hook_resid_post', contextSize: 64, bufferTokens: 1024 },
  ...{ dSae: 512, l1Coefficient: 1, learningRate: 1e-3, batchTokens: 256, trainingTokens: 20_000, seed: 0, k: 8 },
})
const optionsOf = (config: TrainConfig, dIn: number) => ({
  ...{ architecture: architectureOf(config.architecture), dIn, config, backend: 'wasm' as const, threads: 2 },
})

describe.skipIf(!backend)('calibration', () => {
  it.each(ArchitectureName.options)('times the steps of %s', (architecture) => {
    const before = memoryReport().tensors
    const times = measureTraining(optionsOf({ ...CONFIG, architecture }, 32))
    const isFixed = architecture.includes('topk')
    expect(times.route).toBe('sparse')
    expect(times.stepMs).toBeGreaterThan(0)
    expect(times.judgeTokensPerSecond).toBeGreaterThan(0)
    if (isFixed) expect(times.denseStepMs).toBeNull()
    else expect(times.denseStepMs).toBeGreaterThan(0)
    expect(Number.isFinite(times.stepMs + times.judgeTokensPerSecond + (times.denseStepMs ?? 0))).toBe(true)
    expect(memoryReport().tensors).toBe(before)
  })

  it('measures a part of what is too large to be measured whole', () => {
    const config = {
      ...CONFIG,
      architecture: 'matryoshka_batchtopk' as const,
      dSae: 131_072,
      batchTokens: 65_536,
      k: 600,
    }
    const times = measureTraining(optionsOf({ ...config, bufferTokens: 131_072 }, 8192))
    // Beyond what WebAssembly can hold.
    expect(times).toMatchObject({ route: 'dense', denseStepMs: null })
    expect(times.stepMs).toBeGreaterThan(0)
  })

  it('times passes over a text', async () => {
    const text = Array.from({ length: 30 }, (_, at) => String(at + 6)).join(' ')
    // eslint-disable-next-line @typescript-eslint/require-await -- a text comes as a file would
    const documents = async function* () {
      for (let index = 0; index < 40; index++) yield { index, text }
    }
    const options = { contextSize: TOY.contextSize, bosId: TOY.bosId, seed: 1, neededTokens: 500 }
    const { training } = await collectCorpus(documents(), toyTokenizer, options)
    const source = modelSource(toyModel(), TOY.hookName, TOY_TOKENS)
    const speed = measureCollecting(source, training, TOY.contextSize)
    source.dispose()
    expect(speed).toBeGreaterThan(0)
    expect(Number.isFinite(speed)).toBe(true)
  })
})

describe.skipIf(!backend || !stories)('the forecast of a run', () => {
  const worker = { backend: { name: 'wasm' as const, device: '', reason: '' }, baseBytes: 1e8, baseSeconds: 1 }
  const path = stories ?? ''
  const ask = (config: TrainConfig, activations: { tokens: number; dIn: number } | null = null) => ({
    ...{ config, activations, folder: tmpdir() },
    model: { name: 'stories', path, sha256: 'a' },
    dataset: {
      ...{ name: 'corpus', path: join(path, 'corpus.jsonl'), textField: 'text', deduplicate: false },
      ...{ tokens: null, bytes: 1_400_000 },
    },
  })

  it('reads the text, runs the model and trains', async () => {
    const before = memoryReport().tensors
    const found = Forecast.parse(await forecastRun(ask(CONFIG), worker))
    expect(found.collectTokensPerSecond).toBeGreaterThan(0)
    expect(found.seconds).toBeGreaterThan(1)
    expect(found.memoryBytes).toBeGreaterThan(1e8)
    expect(found.diskBytes).toBeGreaterThan(4 * 5 * 2 * 512 * 64)
    expect(found.freeDiskBytes).toBeGreaterThan(0)
    expect(memoryReport().tensors).toBe(before)
  })

  it('runs no model for activations on disk', async () => {
    const config = { ...CONFIG, activationsId: 1 }
    const found = await forecastRun(ask(config, { tokens: 19_000, dIn: 64 }), worker)
    expect(found).toMatchObject({ collectTokensPerSecond: null, collectedTokens: 0 })
  })

  it('refuses a hook the model does not have, and settings that cannot work', async () => {
    const noHook = forecastRun(ask({ ...CONFIG, hookName: 'blocks.9.hook_resid_post' }), worker)
    await expect(noHook).rejects.toMatchObject({ code: 'hook-unknown' })
    const tooMany = forecastRun(ask({ ...CONFIG, architecture: 'topk', k: 513 }), worker)
    await expect(tooMany).rejects.toMatchObject({ code: 'k-too-large' })
  })
})
