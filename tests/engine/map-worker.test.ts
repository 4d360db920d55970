/** The map job in its own process: a file that main can read, a cancel that leaves none, and a refusal. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMap } from '../../src/main/files/map-file'
import { writeSaelens } from '../../src/main/files/saelens'
import { Random } from '../../src/main/engine/train/random'
import type { MapSpec } from '../../src/main/jobs/messages'
import { buildWorker, removeWorker, TestWorker } from './worker-process'

const [D_IN, D_SAE] = [16, 300]
let root = ''
let entry = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-map-'))
  entry = await buildWorker()
  await writeSae(join(root, 'sae'))
}, 120_000)
afterAll(async () => {
  await rm(root, { recursive: true })
  await removeWorker()
})

async function writeSae(path: string): Promise<void> {
  const random = Random.fromSeed(2)
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal())
  const weights = {
    wEnc: { shape: [D_IN, D_SAE], data: draw(D_IN * D_SAE) },
    bEnc: { shape: [D_SAE], data: new Float32Array(D_SAE) },
    wDec: { shape: [D_SAE, D_IN], data: draw(D_SAE * D_IN) },
    bDec: { shape: [D_IN], data: new Float32Array(D_IN) },
  }
  const origin = {
    ...{ modelName: 'none', hookName: 'blocks.0.hook_resid_post', contextSize: 8, prependBos: true, datasetPath: '-' },
    monoscope: {},
  }
  const sae = { architecture: 'standard' as const, dIn: D_IN, dSae: D_SAE, weights, shiftsInput: false, k: null }
  await writeSaelens(path, sae, { origin, firingShare: new Float64Array(D_SAE) })
}

const specOf = (name: string, changes: Partial<MapSpec> = {}): MapSpec => ({
  ...{ kind: 'map', sae: { path: join(root, 'sae') }, deadFeatures: [0, 299], seed: 3, file: join(root, name) },
  ...changes,
})

describe('the map process', () => {
  it('writes a map of the features that fire', async () => {
    const worker = new TestWorker(entry, 'wasm')
    const spec = specOf('whole.safetensors')
    worker.tell({ type: 'start', spec })
    expect(await worker.exited).toBe(0)
    expect(worker.messages.slice(-2)).toEqual([{ type: 'map', file: spec.file }, { type: 'done' }])
    const last = worker.all('progress').at(-1)
    expect(last?.done).toBe(last?.total)
    const map = await readMap(spec.file)
    expect(Array.from(map.features)).toEqual(Array.from({ length: D_SAE - 2 }, (_, i) => i + 1))
    expect(map.parameters).toEqual({
      ...{ neighbours: 15, minDist: 0.05, spread: 1, epochs: 500, resolution: 1, seed: 3 },
      ...{ fitted: D_SAE - 2, placed: 0 },
    })
  }, 60_000)

  it('writes nothing when it is cancelled', async () => {
    const worker = new TestWorker(entry, 'wasm')
    const spec = specOf('cancelled.safetensors')
    worker.tell({ type: 'start', spec })
    worker.tell({ type: 'cancel' })
    expect(await worker.exited).toBe(0)
    expect(worker.messages.at(-1)).toEqual({ type: 'cancelled' })
    expect(worker.all('map')).toEqual([])
    expect(existsSync(spec.file)).toBe(false)
  }, 60_000)

  it('refuses an autoencoder of which hardly anything fires', async () => {
    const worker = new TestWorker(entry, 'wasm')
    const deadFeatures = Array.from({ length: D_SAE - 3 }, (_, i) => i)
    worker.tell({ type: 'start', spec: specOf('few.safetensors', { deadFeatures }) })
    expect(await worker.exited).toBe(0)
    const failure = { code: 'map-too-few', details: { found: 3, least: 4 } }
    expect(worker.messages.at(-1)).toMatchObject({ type: 'failed', failure })
  }, 60_000)
})
