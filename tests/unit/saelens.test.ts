/** The SAELens folder: what is written is what the format asks for, and what is not one is refused. */
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import { readSaelens, writeSaelens } from '../../src/main/files/saelens'

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
const write = (folder: string) =>
  writeSaelens(folder, { architecture: 'standard', dIn, dSae, weights }, { origin, firingShare })

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
    const path = join(folder, 'cfg.json')
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace('"apply_b_dec_to_input": false', '"apply_b_dec_to_input": true'),
    )
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
    const gated = async (f: string) => {
      const path = join(f, 'cfg.json')
      await writeFile(path, (await readFile(path, 'utf8')).replace('"standard"', '"gated"'))
    }
    await expect(broken('i', gated)).rejects.toMatchObject(invalid(/architecture gated/))
  })

  it('finds the folder that a crash left under its waiting name', async () => {
    const folder = join(root, 'k')
    await write(folder)
    const { rename } = await import('node:fs/promises')
    await rename(folder, `${folder}.previous`)
    expect((await readSaelens(folder)).dSae).toBe(dSae)
  })
})
