/** Model folders with random damage to config.json or to the index of shards: an error with a code or a model, for every family. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadModel } from '../../src/main/engine/lm'
import { FAMILIES } from '../../src/main/engine/lm/families'
import { memoryReport, openBackend } from '../../src/main/engine/tf'
import { writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import { AppError } from '../../src/shared/errors'
import { damaged } from '../fixtures/mutate'
import { goldensFolder } from './goldens'

/** What every family finds its own names in, for those that no fixture shows. */
const SMALL = {
  ...{
    hidden_size: 16,
    n_embd: 16,
    num_hidden_layers: 2,
    n_layer: 2,
    num_layers: 2,
    num_attention_heads: 2,
    n_head: 2,
  },
  ...{ num_heads: 2, num_key_value_heads: 1, head_dim: 8, intermediate_size: 8, vocab_size: 11, n_positions: 16 },
  ...{ max_position_embeddings: 16, original_max_position_embeddings: 16, sliding_window: 4, window_size: 4 },
  ...{ attention_types: [[['global', 'local'], 1]], attention_layers: ['global', 'local'], rotary_pct: 0.5 },
  ...{ layer_types: ['sliding_attention', 'full_attention'] },
}

/** Configs of the fixtures by family. */
function goldenConfigs(): Map<string, object> {
  const folder = goldensFolder()
  const configs = new Map<string, object>()
  if (!folder) return configs
  for (const name of readdirSync(folder)) {
    const path = join(folder, name, 'config.json')
    if (!existsSync(path)) continue
    const config = z.looseObject({ model_type: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8')))
    configs.set(config.model_type, config)
  }
  return configs
}

const golden = goldenConfigs()
const configOf = (modelType: string): object => {
  const nested = modelType === 'gemma3' ? { text_config: { ...SMALL, model_type: 'gemma3_text' } } : {}
  return golden.get(modelType) ?? { model_type: modelType, ...SMALL, ...nested }
}

let folder: string
beforeAll(() => openBackend('cpu'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-damage-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
afterAll(() => expect(memoryReport().tensors).toBe(0))

/** The tensors that a config asks for, all zeros. */
function zerosFor(modelType: string, config: object): Record<string, TensorToWrite> {
  const family = FAMILIES.find((one) => one.modelType === modelType)
  const shapes = family?.parse(config).shapes(() => false) ?? new Map<string, number[]>()
  return Object.fromEntries(
    Array.from(shapes, ([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, length) => product * length, 1))
      return [name, { dtype: 'F32', shape, data }]
    }),
  )
}

const put = (file: string, json: unknown) => writeFile(join(folder, file), JSON.stringify(json))

/** Loads what is in the folder; anything but an error with a code is thrown on. */
async function tryLoading(): Promise<'loaded' | 'refused'> {
  try {
    const model = await loadModel(folder)
    model.dispose()
    return 'loaded'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return 'refused'
  }
}

describe('a damaged config.json', () => {
  it.each(FAMILIES.map(({ modelType }) => modelType))('of %s', async (modelType) => {
    const config = configOf(modelType)
    await writeSafetensors(join(folder, 'model.safetensors'), zerosFor(modelType, config))
    await put('config.json', config)
    expect(await tryLoading()).toBe('loaded')
    const seen = { loaded: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(damaged(config), async (json) => {
        await put('config.json', json)
        seen[await tryLoading()]++
      }),
      { seed: 41, numRuns: 150 },
    )
    expect(Math.min(seen.loaded, seen.refused)).toBeGreaterThan(5)
  })
})

it('a damaged index of shards', async () => {
  const config = configOf('llama')
  const tensors = Object.entries(zerosFor('llama', config))
  const half = Math.floor(tensors.length / 2)
  await put('config.json', config)
  await writeSafetensors(join(folder, 'a.safetensors'), Object.fromEntries(tensors.slice(0, half)))
  await writeSafetensors(join(folder, 'b.safetensors'), Object.fromEntries(tensors.slice(half)))
  const map = Object.fromEntries(tensors.map(([name], i) => [name, i < half ? 'a.safetensors' : 'b.safetensors']))
  const index = { metadata: { total_size: 1 }, weight_map: map }
  await put('model.safetensors.index.json', index)
  expect(await tryLoading()).toBe('loaded')
  const seen = { loaded: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(damaged(index), async (json) => {
      await put('model.safetensors.index.json', json)
      seen[await tryLoading()]++
    }),
    { seed: 42, numRuns: 150 },
  )
  expect(Math.min(seen.loaded, seen.refused)).toBeGreaterThan(5)
})
