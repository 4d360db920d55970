/** Nearest features across autoencoders: equal to brute force in float64, over more than one block, with rows that point nowhere. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../src/main/engine/train/random'
import { writeSaelens } from '../../src/main/files/saelens'
import { decoderCosine } from '../../src/main/tasks/decoder-rows'
import { nearestAcross } from '../../src/main/tasks/nearest-across'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-across-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const random = Random.fromSeed(11)
const matrix = (dSae: number, dIn: number) => Float32Array.from({ length: dSae * dIn }, () => random.uniform() - 0.5)

async function put(wDec: Float32Array, dIn: number): Promise<string> {
  const [path, dSae] = [await mkdtemp(join(root, 'sae-')), wDec.length / dIn]
  const weights = {
    ...{ wEnc: { shape: [dIn, dSae], data: new Float32Array(dIn * dSae) } },
    ...{ bEnc: { shape: [dSae], data: new Float32Array(dSae) }, bDec: { shape: [dIn], data: new Float32Array(dIn) } },
    wDec: { shape: [dSae, dIn], data: wDec },
  }
  const sae = { architecture: 'standard' as const, dIn, dSae, weights, shiftsInput: false, k: null }
  const origin = { modelName: 'm', hookName: 'h', contextSize: 8, prependBos: true, datasetPath: 'd', monoscope: {} }
  await writeSaelens(path, sae, { origin, firingShare: new Float64Array(dSae) })
  return path
}

const rowOf = (rows: Float32Array, i: number, dIn: number) => Array.from(rows.subarray(i * dIn, (i + 1) * dIn))
const dot = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + x * (b[j] ?? 0), 0)
const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

/** Every cosine, the largest first, the lower number first among equals; rows of zeros left out. */
function brute(x: number[], rows: Float32Array, count: number) {
  const all = Array.from({ length: rows.length / x.length }, (_, i) => ({ i, row: rowOf(rows, i, x.length) }))
  return all
    .filter(({ row }) => row.some((value) => value !== 0))
    .map(({ i, row }) => ({ i, cosine: Math.fround(cosine(x, row)) }))
    .sort((a, b) => b.cosine - a.cosine || a.i - b.i)
    .slice(0, count)
}
const never = new AbortController().signal
const ask = (path: string, featureIndex: number, among: string, count = 10) =>
  nearestAcross({ of: { path, featureIndex }, among, count }, never)

describe('the nearest features of another autoencoder', () => {
  it('are those of brute force in float64, over several blocks', async () => {
    const dIn = 512
    const [small, large] = [matrix(3, dIn), matrix(10_000, dIn)]
    // More than 16 MiB of rows; some without a direction, two equal ones in different blocks.
    large.fill(0, 5 * dIn, 6 * dIn)
    large.set(small.subarray(dIn, 2 * dIn), 40 * dIn)
    large.set(small.subarray(dIn, 2 * dIn), 9_000 * dIn)
    const [own, among] = [await put(small, dIn), await put(large, dIn)]
    for (const featureIndex of [0, 1, 2]) {
      const expected = brute(rowOf(small, featureIndex, dIn), large, 10)
      const { indexes, cosines } = await ask(own, featureIndex, among)
      expect([...indexes]).toEqual(expected.map(({ i }) => i))
      expected.forEach((one, at) => expect(Math.abs((cosines[at] ?? 0) - one.cosine)).toBeLessThanOrEqual(6e-8))
    }
    expect([...(await ask(own, 1, among)).indexes].slice(0, 2)).toEqual([40, 9_000])
  })

  it('are fewer in an autoencoder of fewer features, and none of a feature without a direction', async () => {
    const few = await put(matrix(4, 8), 8)
    const empty = await put(new Float32Array(16), 8)
    expect((await ask(few, 0, few)).indexes).toHaveLength(4)
    expect((await ask(empty, 0, few)).indexes).toHaveLength(0)
    expect((await ask(few, 0, empty)).indexes).toHaveLength(0)
  })

  it('are refused with both widths, and where there are no weights', async () => {
    const [narrow, wide] = [await put(matrix(4, 8), 8), await put(matrix(4, 16), 16)]
    await expect(ask(narrow, 0, wide)).rejects.toMatchObject({
      code: 'sae-invalid',
      details: { path: wide, reason: 'its decoder is 16 wide, the other one 8' },
    })
    await expect(ask(narrow, 0, join(root, 'gone'))).rejects.toMatchObject({ code: 'sae-invalid' })
  })
})

describe('the cosine of two decoder rows', () => {
  it('is that of float64, in one autoencoder and between two', async () => {
    const dIn = 96
    const [some, others] = [matrix(4, dIn), matrix(6, dIn)]
    const [one, other] = [await put(some, dIn), await put(others, dIn)]
    const between = await decoderCosine({ path: one, featureIndex: 2 }, { path: other, featureIndex: 5 })
    expect(between).toBeCloseTo(cosine(rowOf(some, 2, dIn), rowOf(others, 5, dIn)), 14)
    const within = await decoderCosine({ path: one, featureIndex: 0 }, { path: one, featureIndex: 3 })
    expect(within).toBeCloseTo(cosine(rowOf(some, 0, dIn), rowOf(some, 3, dIn)), 14)
    expect(await decoderCosine({ path: one, featureIndex: 1 }, { path: one, featureIndex: 1 })).toBeCloseTo(1, 14)
  })

  it('is null where a row points nowhere', async () => {
    const [empty, full] = [await put(new Float32Array(16), 8), await put(matrix(2, 8), 8)]
    const [none, some] = [
      { path: empty, featureIndex: 1 },
      { path: full, featureIndex: 1 },
    ]
    expect(await decoderCosine(none, some)).toBeNull()
    expect(await decoderCosine(some, none)).toBeNull()
  })
})
