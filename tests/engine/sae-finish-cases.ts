/** The two ends of a training: fresh parameters, and finished dictionaries that go to disk and come back. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ArchitectureName, EncodeSettings } from '../../src/main/engine/sae/architecture'
import { createSae } from '../../src/main/engine/sae/loaded'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { toTensors } from '../../src/main/engine/train/dense-route'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport, tf } from '../../src/main/engine/tf'
import { readSaelens, writeSaelens } from '../../src/main/files/saelens'
import { ArchitectureName as Names } from '../../src/shared/training'
import { relativeError } from './goldens'
import { exampleOf } from './sae-examples'

const normsOf = (data: ArrayLike<number>, dIn: number) =>
  Array.from({ length: data.length / dIn }, (_, i) => Math.hypot(...Array.from(data).slice(i * dIn, (i + 1) * dIn)))

const CONFIG = { decoderInitNorm: 0.2, initialThreshold: 0.05, thresholdForm: 'direct' } as const

export function startCases(): void {
  it.each(Names.options)('%s: starts with decoder rows of one norm, and the encoder their transpose', (name) => {
    const { initialise, shapes, hasUnitDecoder, parameterNames } = architectureOf(name)
    const shape = { dIn: 6, dSae: 10 }
    const weights = initialise(shape, CONFIG, Random.fromSeed(1))
    expect(Object.fromEntries(Object.entries(weights).map(([weight, { shape: of }]) => [weight, of]))).toEqual(
      shapes(shape),
    )
    expect(Object.keys(weights).toSorted()).toEqual([...parameterNames].toSorted())
    const { wEnc, wDec, ...others } = weights
    for (const norm of normsOf(wDec?.data ?? [], 6)) expect(norm).toBeCloseTo(hasUnitDecoder ? 1 : 0.2, 6)
    wDec?.data.forEach((value, place) => expect(wEnc?.data[(place % 6) * 10 + Math.floor(place / 6)]).toBe(value))
    for (const [weight, { data }] of Object.entries(others)) {
      expect(data, weight).toEqual(new Float32Array(data.length).fill(weight === 'threshold' ? 0.05 : 0))
    }
    expect(initialise(shape, CONFIG, Random.fromSeed(1))).toEqual(weights)
    expect(initialise(shape, CONFIG, Random.fromSeed(2)).wDec).not.toEqual(wDec)
  })

  it('jumprelu: starts at the logarithm of the threshold in the log form', () => {
    const config = { ...CONFIG, thresholdForm: 'log' } as const
    const { threshold } = architectureOf('jumprelu').initialise({ dIn: 6, dSae: 10 }, config, Random.fromSeed(1))
    expect(threshold?.data).toEqual(new Float32Array(10).fill(Math.log(0.05)))
  })
}

const ORIGIN = {
  origin: {
    ...{ modelName: 'made-up', hookName: 'blocks.0.hook_resid_post', contextSize: 8, prependBos: true },
    ...{ datasetPath: 'nothing', monoscope: {} },
  },
}

const FINISHED = {
  ...{ standard: 'standard', topk: 'topk', batchtopk: 'jumprelu', jumprelu: 'jumprelu', gated: 'gated' },
  matryoshka_batchtopk: 'jumprelu',
}

const KINDS: [string, ArchitectureName, EncodeSettings['thresholdForm']][] = [
  ...Names.options.map((name): [string, ArchitectureName, 'direct'] => [name, name, 'direct']),
  ['jumprelu in the log form', 'jumprelu', 'log'],
]

export function finishCases(): void {
  it.each(KINDS)(
    '%s: acts on raw inputs as it did on scaled ones, after a round trip over the disk',
    async (...kind) => {
      const [, name, thresholdForm] = kind
      const scale = 0.37
      const { shape, rows, weights, x } = exampleOf(name, 6)
      const { dIn, dSae } = shape
      const architecture = architectureOf(name)
      const settings: EncodeSettings = { k: 5, threshold: 0.6, thresholdForm }
      const finished = architecture.finish(weights, { scale, ...settings })
      expect(finished.architecture).toBe(FINISHED[name])
      expect(finished.k).toBe(name === 'topk' ? 5 : null)
      const { threshold } = finished.weights
      expect(threshold !== undefined).toBe(finished.architecture === 'jumprelu')
      expect(threshold?.data.every((theta) => theta >= 0)).not.toBe(false)
      const folder = await mkdtemp(join(tmpdir(), 'monoscope-sae-'))
      try {
        const path = join(folder, 'sae')
        await writeSaelens(path, { ...finished, ...shape }, { ...ORIGIN, firingShare: new Float64Array(dSae) })
        const read = await readSaelens(path)
        expect(read).toMatchObject({ architecture: FINISHED[name], dIn, dSae, k: finished.k })
        for (const norm of normsOf(read.weights.wDec?.data ?? [], dIn)) expect(norm).toBeCloseTo(1, 5)

        const before = memoryReport().tensors
        const sae = createSae(read, path)
        tf.tidy(() => {
          const saeIn = tf.tensor2d(x, [rows, dIn])
          const parameters = toTensors(weights)
          const trained = architecture.encode(parameters, saeIn, settings)
          const norms = tf.tensor1d(normsOf(weights.wDec?.data ?? [], dIn))
          const acts = sae.encode(tf.div(saeIn, scale))
          const wanted = tf.div(tf.mul(trained, norms), scale).dataSync()
          expect(relativeError(acts.dataSync(), wanted)).toBeLessThan(1e-5)
          // The same features are on, to the last one.
          expect(Array.from(acts.dataSync(), (f) => f > 0)).toEqual(Array.from(wanted, (f) => f > 0))
          expect(wanted.some((f) => f > 0) && wanted.some((f) => f === 0)).toBe(true)
          const out = tf.div(architecture.decode(parameters, trained), scale).dataSync()
          expect(relativeError(sae.decode(acts).dataSync(), out)).toBeLessThan(1e-5)
        })
        sae.dispose()
        expect(memoryReport().tensors).toBe(before)
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  )

  it('refuses a topk that does not say how many features are active', () => {
    const { shape, weights } = exampleOf('topk', 6)
    const before = memoryReport().tensors
    expect(() => createSae({ architecture: 'topk', ...shape, weights, k: null }, 'there')).toThrow(
      expect.objectContaining({ code: 'sae-invalid' }) as Error,
    )
    expect(memoryReport().tensors).toBe(before)
  })

  it('refuses an architecture that there is not', () => {
    expect(() => architectureOf('temporal', 'there')).toThrow(expect.objectContaining({ code: 'sae-invalid' }) as Error)
  })
}
