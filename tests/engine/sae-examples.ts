/** Made-up dictionaries, inputs and settings for the tests of all architectures. */
import type { ArchitectureName, SaeShape, SaeWeights, StepSettings } from '../../src/main/engine/sae/architecture'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { normaliseRows } from '../../src/main/engine/train/dense-route'
import { Random } from '../../src/main/engine/train/random'

export type Example = { shape: SaeShape; rows: number; weights: SaeWeights; x: Float32Array }

/** Feature of an example that is off everywhere. */
export const OFF = 3

const SIZES: Record<string, number> = { wEnc: 0.3, wDec: 0.5, bDec: 0.5, rMag: 0.2 }

/**
 * Random parameters and inputs [rows, dIn]; feature OFF never fires. Thresholds are a few tenths, one in five is negative (the log
 * form: small).
 */
export function exampleOf(name: ArchitectureName, seed: number, { dIn = 12, dSae = 40, rows = 33 } = {}): Example {
  const random = Random.fromSeed(seed)
  const shape = { dIn, dSae }
  const { hasUnitDecoder, shapes } = architectureOf(name)
  const entries = Object.entries(shapes(shape)).map(([weight, lengths]) => {
    const count = lengths.reduce((product, length) => product * length, 1)
    const size = SIZES[weight] ?? 0.3
    const data = Float32Array.from({ length: count }, () => size * random.normal())
    if (weight === 'threshold') data.forEach((value, i) => (data[i] = (i % 5 === 4 ? -1 : 1) * Math.abs(value)))
    if (weight === 'bEnc' || weight === 'bGate') data[OFF] = -100
    if (weight === 'wDec' && hasUnitDecoder) normaliseRows(data, dIn)
    return [weight, { shape: lengths, data }] as const
  })
  const x = Float32Array.from({ length: rows * dIn }, () => random.normal())
  return { shape, rows, weights: Object.fromEntries(entries), x }
}

/** Settings that use every term; one feature in three is dead. */
export function settingsOf({ dSae }: SaeShape, changes: Partial<StepSettings> = {}): StepSettings {
  return {
    ...{ sparsity: 0.7, targetL0: null, bandwidth: 0.3, thresholdForm: 'direct', k: 6, auxK: 4, auxCoefficient: 0.25 },
    deadMask: Uint8Array.from({ length: dSae }, (_, i) => (i % 3 === 1 ? 1 : 0)),
    widths: [dSae],
    ...changes,
  }
}
