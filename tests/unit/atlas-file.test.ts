/** The atlas file keeps every array as it was and refuses what is no atlas. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAtlas, writeAtlas } from '../../src/main/files/atlas-file'
import type { Atlas } from '../../src/main/files/atlas-file'
import { writeSafetensors } from '../../src/main/files/safetensors'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-atlas-'))
})
afterAll(() => rm(root, { recursive: true }))

function exampleWeights(): Atlas['weights'] {
  const floats = (count: number) => Float32Array.from({ length: count }, (_, i) => i / 8)
  return {
    decoderNorm: floats(2),
    encoderCosine: floats(2),
    neighbours: Int32Array.from({ length: 40 }, (_, i) => i - 1),
    neighbourCosines: floats(40),
    logits: {
      ids: Int32Array.from({ length: 40 }, (_, i) => i),
      values: floats(40),
      histogram: floats(100),
      range: floats(4),
    },
  }
}

function example(contexts: number): Atlas {
  const ramp = (count: number, start: number) => Array.from({ length: count }, (_, i) => start + i)
  return {
    tokens: 1234,
    documents: 12,
    bosTokens: 12,
    sinkTokens: 3,
    origin: { model_name: '이야기', seed: '7' },
    dSae: 2,
    fired: Float64Array.of(2 ** 40, 0),
    sum: Float64Array.of(1.25, 0),
    max: Float32Array.of(3.5, 0),
    histogram: Float32Array.from(ramp(100, 0)),
    intervalWidth: Float32Array.of(0.5, 0),
    intervalFired: Float64Array.from(ramp(16, 0)),
    contexts: {
      feature: Int32Array.from(ramp(contexts, 0), (row) => row % 2),
      interval: Uint8Array.from(ramp(contexts, 253)),
      document: Int32Array.from(ramp(contexts, 1)),
      start: Int32Array.from(ramp(contexts, 3)),
      length: Uint8Array.from(ramp(contexts, 5)),
      marked: Uint8Array.from(ramp(contexts, 2)),
      value: Float32Array.from(ramp(contexts, 4)),
      pairs: Int32Array.from(ramp(contexts + 1, 0), (row) => 2 * row),
      pairToken: Uint8Array.from(ramp(2 * contexts, 1)),
      pairValue: Uint16Array.from(ramp(2 * contexts, 0x3c00)),
    },
    together: {
      indexes: Int32Array.from(ramp(40, -1)),
      shares: Float32Array.from(ramp(40, 0)),
      sampled: Int32Array.of(64, 0),
    },
    weights: contexts > 0 ? exampleWeights() : { ...exampleWeights(), logits: null },
  }
}

describe('atlas file', () => {
  it('gives back what was written, also without contexts', async () => {
    for (const contexts of [3, 0]) {
      const path = join(root, `${contexts}.safetensors`)
      await writeAtlas(path, example(contexts))
      expect(await readAtlas(path)).toEqual(example(contexts))
    }
  })

  it('refuses contexts whose pairs do not fit', async () => {
    const path = join(root, 'pairs.safetensors')
    const atlas = example(3)
    atlas.contexts.pairs[1] = 5
    await writeAtlas(path, atlas)
    await expect(readAtlas(path)).rejects.toMatchObject({ code: 'file-corrupt' })
  })

  it.each<[string, (atlas: Atlas) => void]>([
    ['a figure that is no number', (atlas) => atlas.max.set([NaN], 1)],
    ['an endless sum', (atlas) => atlas.sum.set([Infinity], 1)],
    ['a context before the text', (atlas) => atlas.contexts.start.set([-1], 0)],
    ['a context of no document', (atlas) => atlas.contexts.document.set([-7], 0)],
    ['a context of no feature', (atlas) => atlas.contexts.feature.set([9999], 0)],
  ])('refuses %s', async (name, spoil) => {
    const atlas = example(3)
    spoil(atlas)
    const path = join(root, `${name}.safetensors`)
    await writeAtlas(path, atlas)
    await expect(readAtlas(path)).rejects.toMatchObject({ code: 'file-corrupt' })
  })

  it('refuses another safetensors file and a missing one', async () => {
    const path = join(root, 'other.safetensors')
    await writeSafetensors(path, { max: { dtype: 'F32', shape: [1], data: new Float32Array(1) } })
    await expect(readAtlas(path)).rejects.toMatchObject({ code: 'file-corrupt' })
    await expect(readAtlas(join(root, 'none'))).rejects.toMatchObject({ code: 'file-missing' })
  })
})
