/** The SAELens folder: what is written is what the format asks for, and what is not one is refused. */
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import { readSaelens, writeSaelens } from '../../src/main/files/saelens'
import type { SaeToWrite } from '../../src/main/files/saelens'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-saelens-'))
})
afterAll(() => rm(root, { recursive: true }))

const [dIn, dSae] = [3, 5]
const ramp = (count: number, start: number) => Float32Array.from({ length: count }, (_, i) => start + i / 8)
const weights = {
  wEnc: { shape: [dIn, dSae], data: ramp(15, 1) },
  bEnc: { shape: [dSae], data: ramp(5, -1) },
  wDec: { shape: [dSae, dIn], data: ramp(15, 2) },
  bDec: { shape: [dIn], data: ramp(3, 0.5) },
}
const origin = {
  modelName: 'stories',
  hookName: 'blocks.2.hook_resid_post',
  contextSize: 128,
  prependBos: true,
  datasetPath: '/data/corpus.jsonl',
  monoscope: { seed: 0, sink_norm: 12.5 },
}
const firingShare = Float64Array.of(0, 0.5, 1, 0.25, 1e-3)
const size = { dIn, dSae }
const standard = { architecture: 'standard' as const, ...size, weights, shiftsInput: false, k: null }
const write = (folder: string, sae: SaeToWrite = standard) => writeSaelens(folder, sae, { origin, firingShare })

/** Changes cfg.json. */
async function edit(folder: string, from: string, to: string): Promise<void> {
  const path = join(folder, 'cfg.json')
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}

describe('writeSaelens', () => {
  it('writes the files, names and settings of version 6', async () => {
    const folder = join(root, 'a')
    const sha256 = await write(folder)
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
    expect((await readdir(folder)).toSorted()).toEqual(['cfg.json', 'sae_weights.safetensors', 'sparsity.safetensors'])
    const cfg: unknown = JSON.parse(await readFile(join(folder, 'cfg.json'), 'utf8'))
    expect(cfg).toMatchObject({
      architecture: 'standard',
      d_in: 3,
      d_sae: 5,
      dtype: 'float32',
      apply_b_dec_to_input: false,
      normalize_activations: 'none',
      metadata: { sae_lens_version: '6.0.0', hook_name: origin.hookName, context_size: 128, prepend_bos: true },
    })
    const file = await openSafetensors(join(folder, 'sae_weights.safetensors'))
    expect(Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      W_enc: [3, 5],
      b_enc: [5],
      W_dec: [5, 3],
      b_dec: [3],
    })
    await file.close()
    const sparsity = await openSafetensors(join(folder, 'sparsity.safetensors'))
    const { data } = await sparsity.readFloat32('sparsity')
    await sparsity.close()
    firingShare.forEach((share, i) => expect(data[i]).toBeCloseTo(Math.log10(share + 1e-10), 5))
  })

  it('replaces an older folder whole and leaves nothing beside it', async () => {
    const folder = join(root, 'b', 'sae')
    await write(folder)
    await writeFile(join(folder, 'stale.txt'), 'old')
    await write(folder)
    expect(await readdir(folder)).not.toContain('stale.txt')
    expect(await readdir(join(root, 'b'))).toEqual(['sae'])
  })
})

describe('readSaelens', () => {
  it('gives back what was written, and keys it does not know', async () => {
    const folder = join(root, 'c')
    await write(folder)
    const path = join(folder, 'cfg.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"d_in"', '"from_the_future": [1, 2],\n  "d_in"'))
    const read = await readSaelens(folder)
    expect(read).toMatchObject({ architecture: 'standard', dIn, dSae, weights })
    expect(read.cfg.from_the_future).toEqual([1, 2])
    expect(read.metadata.monoscope).toEqual(origin.monoscope)
  })

  it('moves a subtracted b_dec into b_enc', async () => {
    const folder = join(root, 'd')
    await write(folder)
    await edit(folder, '"apply_b_dec_to_input": false', '"apply_b_dec_to_input": true')
    const { bEnc } = (await readSaelens(folder)).weights
    for (let i = 0; i < dSae; i++) {
      let expected = weights.bEnc.data[i] ?? 0
      for (let j = 0; j < dIn; j++) expected -= (weights.bDec.data[j] ?? 0) * (weights.wEnc.data[j * dSae + i] ?? 0)
      expect(bEnc?.data[i]).toBeCloseTo(expected, 5)
    }
  })

  const broken = async (name: string, breakIt: (folder: string) => Promise<void>) => {
    const folder = join(root, name)
    await write(folder)
    await breakIt(folder)
    return readSaelens(folder)
  }
  const invalid = (pattern: RegExp) => {
    const reason: unknown = expect.stringMatching(pattern)
    return { code: 'sae-invalid', details: { reason } }
  }

  it('refuses what is no autoencoder, with the reason', async () => {
    await expect(readSaelens(join(root, 'nothing'))).rejects.toMatchObject(invalid(/cfg.json cannot be read/))
    await mkdir(join(root, 'empty'))
    await expect(readSaelens(join(root, 'empty'))).rejects.toMatchObject(invalid(/cfg.json/))
    await expect(broken('e', (f) => writeFile(join(f, 'cfg.json'), '{'))).rejects.toMatchObject(invalid(/describe/))
    await expect(broken('f', (f) => rm(join(f, 'sae_weights.safetensors')))).rejects.toMatchObject(
      invalid(/does not exist/),
    )
    await expect(broken('g', (f) => truncate(join(f, 'sae_weights.safetensors'), 200))).rejects.toMatchObject(
      invalid(/says its header is/),
    )
    const other = (f: string) =>
      writeSafetensors(join(f, 'sae_weights.safetensors'), {
        W_enc: { dtype: 'F32', shape: [1], data: new Float32Array(1) },
      })
    await expect(broken('h', other)).rejects.toMatchObject(invalid(/W_enc has shape \[1\], not \[3, 5\]/))
    const unknown = (f: string) => edit(f, '"standard"', '"temporal"')
    await expect(broken('i', unknown)).rejects.toMatchObject(invalid(/architecture temporal/))
    const gated = (f: string) => edit(f, '"standard"', '"gated"')
    await expect(broken('j', gated)).rejects.toMatchObject(invalid(/no tensor b_gate/))
  })

  it('finds the folder that a crash left under its waiting name', async () => {
    const folder = join(root, 'k')
    await write(folder)
    const { rename } = await import('node:fs/promises')
    await rename(folder, `${folder}.previous`)
    expect((await readSaelens(folder)).dSae).toBe(dSae)
  })
})

const column = (start: number) => ({ shape: [dSae], data: ramp(5, start) })
const { wEnc, bEnc, wDec, bDec } = weights
const topk: SaeToWrite = { ...standard, architecture: 'topk', k: 2 }
const jumprelu: SaeToWrite = {
  ...standard,
  architecture: 'jumprelu',
  weights: { ...weights, threshold: column(-0.2) },
}
const gated: SaeToWrite = {
  ...standard,
  architecture: 'gated',
  weights: { wEnc, bGate: column(-0.3), rMag: column(-0.25), bMag: column(0.75), wDec, bDec },
}

/** b_dec W_enc [dSae]. */
const shiftOf = (i: number) => bDec.data.reduce((sum, b, j) => sum + b * (wEnc.data[j * dSae + i] ?? Number.NaN), 0)

async function tensorsOf(folder: string): Promise<Record<string, number[]>> {
  const file = await openSafetensors(join(folder, 'sae_weights.safetensors'))
  await file.close()
  return Object.fromEntries([...file.tensors].map(([name, { shape }]) => [name, shape]))
}

describe('other architectures', () => {
  it('have the tensors and keys of the format', async () => {
    const usual = { W_enc: [3, 5], b_enc: [5], W_dec: [5, 3], b_dec: [3] }
    await write(join(root, 'topk'), topk)
    expect(await tensorsOf(join(root, 'topk'))).toEqual(usual)
    expect(JSON.parse(await readFile(join(root, 'topk', 'cfg.json'), 'utf8'))).toMatchObject({
      architecture: 'topk',
      k: 2,
      rescale_acts_by_decoder_norm: false,
    })
    await write(join(root, 'jumprelu'), jumprelu)
    expect(await tensorsOf(join(root, 'jumprelu'))).toEqual({ ...usual, threshold: [5] })
    await write(join(root, 'gated'), gated)
    expect(await tensorsOf(join(root, 'gated'))).toEqual({
      ...{ W_enc: [3, 5], W_dec: [5, 3], b_dec: [3] },
      ...{ b_gate: [5], r_mag: [5], b_mag: [5] },
    })
  })

  it('come back as they were, with thresholds of at least 0', async () => {
    for (const sae of [topk, jumprelu, gated]) {
      const folder = join(root, `back-${sae.architecture}`)
      await write(folder, sae)
      const read = await readSaelens(folder)
      const { threshold, ...others } = sae.weights
      expect(read).toMatchObject({ architecture: sae.architecture, k: sae.k, weights: others })
      if (threshold) expect(read.weights.threshold?.data).toEqual(threshold.data.map((theta) => Math.max(theta, 0)))
      expect(Object.keys(read.weights).toSorted()).toEqual(Object.keys(sae.weights).toSorted())
    }
  })

  it('move a subtracted b_dec into what is added to the product', async () => {
    for (const sae of [topk, jumprelu]) {
      const folder = join(root, `shift-${sae.architecture}`)
      await write(folder, { ...sae, shiftsInput: true })
      const read = (await readSaelens(folder)).weights
      bEnc.data.forEach((b, i) => expect(read.bEnc?.data[i]).toBeCloseTo(b - shiftOf(i), 5))
    }
    const folder = join(root, 'shift-gated')
    await write(folder, { ...gated, shiftsInput: true })
    const { bGate, rMag, bMag } = (await readSaelens(folder)).weights
    for (let i = 0; i < dSae; i++) {
      const [gate = 0, growth = 0, magnitude = 0] = ['bGate', 'rMag', 'bMag'].map(
        (name) => gated.weights[name]?.data[i],
      )
      expect(bGate?.data[i]).toBeCloseTo(gate - shiftOf(i), 5)
      expect(bMag?.data[i]).toBeCloseTo(magnitude - Math.exp(growth) * shiftOf(i), 5)
      expect(rMag?.data[i]).toBe(growth)
    }
  })

  it('move the decoder norms of a rescaling topk into its weights', async () => {
    const folder = join(root, 'rescaling')
    await write(folder, topk)
    await edit(folder, '"rescale_acts_by_decoder_norm": false', '"rescale_acts_by_decoder_norm": true')
    const read = (await readSaelens(folder)).weights
    for (let i = 0; i < dSae; i++) {
      const row = Array.from(wDec.data.slice(i * dIn, (i + 1) * dIn))
      const norm = Math.hypot(...row)
      expect(read.bEnc?.data[i]).toBeCloseTo((bEnc.data[i] ?? 0) * norm, 5)
      row.forEach((w, j) => {
        expect(read.wDec?.data[i * dIn + j]).toBeCloseTo(w / norm, 6)
        expect(read.wEnc?.data[j * dSae + i]).toBeCloseTo((wEnc.data[j * dSae + i] ?? 0) * norm, 4)
      })
    }
  })

  it('may hold the logarithm of the threshold', async () => {
    const folder = join(root, 'log')
    await write(folder, jumprelu)
    const { threshold, ...usual } = jumprelu.weights
    const named = {
      W_enc: usual.wEnc,
      b_enc: usual.bEnc,
      W_dec: usual.wDec,
      b_dec: usual.bDec,
      log_threshold: threshold,
    }
    const tensors = Object.entries(named).map(([name, weight]) => {
      if (!weight) throw new Error(`${name} is missing`)
      return [name, { dtype: 'F32' as const, shape: weight.shape, data: new Float32Array(weight.data) }] as const
    })
    await writeSafetensors(join(folder, 'sae_weights.safetensors'), Object.fromEntries(tensors))
    const read = (await readSaelens(folder)).weights
    threshold?.data.forEach((held, i) => expect(read.threshold?.data[i]).toBeCloseTo(Math.exp(held), 6))
  })

  it('are refused when k is none, or a tensor has another shape', async () => {
    const folder = join(root, 'k')
    for (const k of ['6', '0', '1.5', '"2"', 'null']) {
      await write(folder, topk)
      await edit(folder, '"k": 2', `"k": ${k}`)
      const reason: unknown = expect.stringMatching(/k as a whole number from 1 to 5/)
      await expect(readSaelens(folder), k).rejects.toMatchObject({ code: 'sae-invalid', details: { reason } })
    }
    const wrong = { shape: [4], data: ramp(4, 0) }
    await write(folder, { ...jumprelu, weights: { ...weights, threshold: wrong } })
    const reason: unknown = expect.stringMatching(/threshold has shape \[4\], not \[5\]/)
    await expect(readSaelens(folder)).rejects.toMatchObject({ code: 'sae-invalid', details: { reason } })
  })
})
