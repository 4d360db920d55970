/** The float64 loops are held against finite differences and the fixtures, before anything is held against them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { goldensFolder, readTensors, relativeError, reportSkip } from './goldens'
import { exampleOf, settingsOf } from './sae-examples'
import { differences, familyLoss, familyStep, jumpLoss, jumpStep, toNumbers } from './sae-reference'
import type { Numbers, ReferenceInput } from './sae-reference'

const SMALL = { dIn: 5, dSae: 14, rows: 9 }

describe('the float64 reference', () => {
  it.each([true, false])('topk family, row-wise %s: gradients are finite differences of the loss', (isRowWise) => {
    const { shape, weights, x } = exampleOf('matryoshka_batchtopk', 21, SMALL)
    const settings = settingsOf(shape, { widths: isRowWise ? [14] : [2, 6, 14], k: 3, auxK: 2 })
    const input: ReferenceInput = { shape, settings, weights: toNumbers(weights), x: Float64Array.from(x) }
    // The auxiliary term takes the error as given.
    const frozen = familyLoss(input, { isRowWise }).error
    const { gradients, losses } = familyStep(input, isRowWise)
    expect(losses.aux).toBeGreaterThan(0)
    const lossAt = (changed: Numbers) => familyLoss({ ...input, weights: changed }, { isRowWise, frozen }).total
    for (const name of ['wEnc', 'bEnc', 'wDec', 'bDec']) {
      expect(relativeError(gradients[name] ?? [], differences(lossAt, input.weights, name)), name).toBeLessThan(1e-7)
    }
  })

  it.each([null, 4])('jumprelu, target %s: gradients but that of the threshold are finite differences', (targetL0) => {
    const { shape, weights, x } = exampleOf('jumprelu', 22, SMALL)
    const settings = settingsOf(shape, { targetL0 })
    const input: ReferenceInput = { shape, settings, weights: toNumbers(weights), x: Float64Array.from(x) }
    const { gradients } = jumpStep(input)
    const lossAt = (changed: Numbers) => jumpLoss({ ...input, weights: changed }).total
    for (const name of ['wEnc', 'bEnc', 'wDec', 'bDec']) {
      expect(relativeError(gradients[name] ?? [], differences(lossAt, input.weights, name)), name).toBeLessThan(1e-7)
    }
  })
})

const NAMES = { wEnc: 'W_enc', bEnc: 'b_enc', wDec: 'W_dec', bDec: 'b_dec', threshold: 'log_threshold' }
const Expected = z.object({
  hyperparameters: z.record(z.string(), z.number()),
  losses: z.record(z.string(), z.number()),
})

const folder = goldensFolder()
if (!folder)
  reportSkip('the float64 reference against goldens', 'the goldens folder is absent; GOLDENS_DIR can name it')

describe.skipIf(!folder)('the float64 reference and the fixtures', () => {
  it.each(['topk', 'batchtopk', 'jumprelu'] as const)('has the losses and gradients of sae/%s', async (kind) => {
    const at = join(folder ?? '', 'sae', kind)
    const { hyperparameters, losses } = Expected.parse(JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')))
    const { lam = 0, alpha = 0, k = 1, k_aux = 0, bandwidth = 1 } = hyperparameters
    const stored = await readTensors(join(at, 'weights.safetensors'))
    const expected = await readTensors(join(at, 'expected.safetensors'))
    const numbers = (from: typeof stored, name: string) => Float64Array.from(from.get(name)?.data ?? [], Number)
    const names = Object.entries(NAMES).filter(([, theirs]) => stored.has(theirs))
    const weights = Object.fromEntries(names.map(([ours, theirs]) => [ours, numbers(stored, theirs)]))
    const [dIn = 0, dSae = 0] = stored.get('W_enc')?.shape ?? []
    const settings = settingsOf(
      { dIn, dSae },
      {
        ...{ sparsity: lam, bandwidth, thresholdForm: 'log', k, auxK: k_aux, auxCoefficient: alpha },
        deadMask: Uint8Array.from(numbers(stored, 'dead_mask')),
      },
    )
    const input = { shape: { dIn, dSae }, settings, weights, x: numbers(expected, 'x') }
    const got = kind === 'jumprelu' ? jumpStep(input) : familyStep(input, kind === 'topk')
    expect(Math.abs(got.losses.total / (losses.total ?? Number.NaN) - 1)).toBeLessThan(1e-6)
    expect(names.length).toBeGreaterThanOrEqual(4)
    for (const [ours, theirs] of names) {
      expect(relativeError(got.gradients[ours] ?? [], numbers(expected, `grad.${theirs}`)), theirs).toBeLessThan(1e-6)
    }
  })
})
