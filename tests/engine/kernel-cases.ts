/** What the sparse kernels must satisfy on every backend: they equal the dense steps, whatever the shape and the number of threads. */
import { expect, it } from 'vitest'
import { kernelBytes, openKernels } from '../../src/main/engine/kernels/open'
import { LARGEST_MEMORY } from '../../src/main/engine/kernels/layout'
import type { ArchitectureName, SaeWeights, StepSettings } from '../../src/main/engine/sae/architecture'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { Random } from '../../src/main/engine/train/random'
import { TOO_DENSE } from '../../src/main/engine/train/route'
import type { Route } from '../../src/main/engine/train/route'
import { Steps } from '../../src/main/engine/train/steps'
import { copyWeights } from '../../src/main/engine/train/weights'
import type { BackendName } from '../../src/shared/domain'
import { ArchitectureName as Names } from '../../src/shared/training'
import { relativeError } from './goldens'
import { configOf, denseRoute, sparseRoute } from './sae-routes'

type Shape = { dIn: number; dSae: number; rows: number }
/** No side is a multiple of what the kernels work in: 4, 6, 8, 48. */
const ODD: Shape = { dIn: 13, dSae: 75, rows: 101 }
/** More rows than the lists hold at once, see `bandRowsOf`: several bands, the last of them short. */
const BANDS: Shape = { ...ODD, rows: 2413 }

/** Parameters away from any symmetry, one feature that is never active, and inputs with few active features. */
function example(name: ArchitectureName, { dIn, dSae, rows }: Shape, seed: number) {
  const random = Random.fromSeed(seed, 77)
  const config = configOf({ architecture: name, dSae, decoderInitNorm: 0.7, initialThreshold: 0.3 })
  const weights = architectureOf(name).initialise({ dIn, dSae }, config, random)
  for (const [weight, { data }] of Object.entries(weights)) {
    const size = weight.startsWith('w') ? 0.1 : weight === 'threshold' ? 0.05 : 0.2
    data.forEach((value, i) => (data[i] = value + size * random.normal()))
  }
  const bias = weights.bEnc ?? weights.bGate
  bias?.data.forEach((value, i) => (bias.data[i] = i === 3 ? -100 : value - 0.6))
  const batch = Float32Array.from({ length: rows * dIn }, () => random.normal())
  return { weights, batch }
}

/** Settings that use everything an architecture has. */
function settingsOf(name: ArchitectureName, dSae: number, changes: Partial<StepSettings> = {}): StepSettings {
  const hasK = name === 'topk' || name.includes('batchtopk')
  return {
    ...{ sparsity: hasK ? 0 : 0.3, targetL0: null, bandwidth: 0.4, thresholdForm: 'direct', k: 5, auxK: 4 },
    auxCoefficient: hasK ? 1 / 32 : 0,
    deadMask: hasK ? Uint8Array.from({ length: dSae }, (_, i) => (i % 3 === 0 ? 1 : 0)) : null,
    widths: name === 'matryoshka_batchtopk' ? [9, 30, dSae] : [dSae],
    ...changes,
  }
}

const update = (step: number, unitDecoder: boolean) => ({
  ...{ learningRate: 1e-3, clipNorm: 0.5, update: step, unitDecoder, check: () => undefined },
})

function gradientsOf(route: Route, batch: Float32Array, settings: StepSettings) {
  const found = route.gradients(batch, settings)
  if (found === TOO_DENSE) throw new Error('the route gave up')
  return found
}

function expectNear(got: SaeWeights, wanted: SaeWeights, limit: number, what: string): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort())
  for (const [name, { data }] of Object.entries(wanted)) {
    expect(relativeError(got[name]?.data ?? [], data), `${what} ${name}`).toBeLessThan(limit)
  }
}

/** Figures and gradients of one batch, then the parameters after three updates. */
function compareRoutes(dense: Route, sparse: Route, batch: Float32Array, settings: StepSettings): void {
  const [wanted, got] = [gradientsOf(dense, batch, settings), gradientsOf(sparse, batch, settings)]
  const { losses, featureSums, ...figures } = wanted.figures
  for (const term of ['mse', 'sparsity', 'total'] as const)
    expect(got.figures.losses[term]).toBeCloseTo(losses[term], 4)
  if (losses.aux === null) expect(got.figures.losses.aux).toBeNull()
  else expect(got.figures.losses.aux).toBeCloseTo(losses.aux, 4)
  expect(got.figures.l0).toBeCloseTo(figures.l0, 6)
  expect(got.figures.l1).toBeCloseTo(figures.l1, 4)
  expect(got.figures.smallestActive).toBeCloseTo(figures.smallestActive, 5)
  expect(relativeError(got.figures.featureSums, featureSums)).toBeLessThan(1e-5)
  expectNear(got.gradients, wanted.gradients, 2e-5, 'gradient')
  for (let step = 1; step <= 3; step++) {
    for (const route of [dense, sparse]) expect(route.step(batch, settings, update(step, true))).not.toBe(TOO_DENSE)
  }
  const [after, before] = [sparse.state(), dense.state()]
  expectNear(after.parameters, before.parameters, 2e-5, 'parameter')
  expectNear(after.first, before.first, 1e-4, 'first moment')
}

export function equalRoutesCase(backend: BackendName): void {
  for (const name of Names.options) {
    it(`${name}: sparse steps equal dense ones on odd shapes`, () => {
      const { weights, batch } = example(name, ODD, 1)
      const settings = settingsOf(name, ODD.dSae)
      const sparse = sparseRoute(name, weights, settings, { backend, threads: 2, batchTokens: ODD.rows })
      compareRoutes(denseRoute(name, weights), sparse, batch, settings)
      sparse.dispose()
    })
  }

  it('equal where the lists hold a part of the batch, and then a smaller batch', () => {
    for (const name of ['standard', 'jumprelu', 'gated'] as const) {
      const { weights, batch } = example(name, BANDS, 6)
      const settings = settingsOf(name, BANDS.dSae, name === 'jumprelu' ? { targetL0: 3 } : {})
      const sparse = sparseRoute(name, weights, settings, { backend, threads: 2, batchTokens: BANDS.rows })
      const dense = denseRoute(name, weights)
      compareRoutes(dense, sparse, batch, settings)
      compareRoutes(dense, sparse, batch.subarray(0, 1200 * BANDS.dIn), settings)
      sparse.dispose()
    }
  })

  it('jumprelu: equal with a target L0 and with logarithmic thresholds', () => {
    const { weights, batch } = example('jumprelu', ODD, 2)
    const logarithmic = copyWeights(weights)
    const threshold = logarithmic.threshold?.data
    threshold?.forEach((theta, i) => (threshold[i] = Math.log(Math.max(theta, 0.05))))
    for (const [held, changes] of [
      [weights, { targetL0: 3 }],
      [logarithmic, { thresholdForm: 'log' as const }],
    ] as const) {
      const settings = settingsOf('jumprelu', ODD.dSae, changes)
      const sparse = sparseRoute('jumprelu', held, settings, { backend, threads: 2, batchTokens: ODD.rows })
      compareRoutes(denseRoute('jumprelu', held), sparse, batch, settings)
      sparse.dispose()
    }
  })
}

export function threadCase(backend: BackendName): void {
  it('gives the same bits with one thread and with five', () => {
    for (const name of Names.options) {
      const shape = { dIn: 24, dSae: 200, rows: name === 'standard' ? 1300 : 300 }
      const { weights, batch } = example(name, shape, 3)
      const settings = settingsOf(name, shape.dSae)
      const [one, five] = [1, 5].map((threads) => {
        const route = sparseRoute(name, weights, settings, { backend, threads, batchTokens: shape.rows })
        const figures = [1, 2, 3, 4].map((step) => route.step(batch, settings, update(step, false)))
        const state = route.state()
        route.dispose()
        return { figures, state }
      })
      expect(five, name).toEqual(one)
    }
  })
}

export function selectionCase(backend: BackendName): void {
  it('selects exactly when the last batch was quite another one, and when values are equal', () => {
    const shape = { dIn: 16, dSae: 96, rows: 144 }
    for (const name of ['topk', 'batchtopk'] as const) {
      const { weights, batch } = example(name, shape, 4)
      // Twins in the dictionary: every value occurs twice, and the first of them must win.
      for (const data of [weights.wEnc?.data ?? new Float32Array(0)]) {
        for (let j = 0; j < shape.dIn; j++) data[j * 96 + 50] = data[j * 96 + 20] ?? 0
      }
      const bias = weights.bEnc?.data
      if (bias) bias[50] = bias[20] ?? 0
      const settings = settingsOf(name, shape.dSae, { deadMask: null })
      const sparse = sparseRoute(name, weights, settings, { backend, threads: 2, batchTokens: shape.rows })
      const dense = denseRoute(name, weights)
      // Large inputs first, so that the limits remembered from them hide what counts among small ones.
      const batches = [30, 1, 0.05, 1].map((size) => batch.map((x) => x * size))
      for (const one of batches) {
        const [wanted, got] = [gradientsOf(dense, one, settings), gradientsOf(sparse, one, settings)]
        expect(got.figures.l0, name).toBe(wanted.figures.l0)
        expectNear(got.gradients, wanted.gradients, 2e-5, name)
      }
      sparse.dispose()
    }
  })

  it('batchtopk: follows rows that have very different numbers of active features', () => {
    const shape = { dIn: 16, dSae: 400, rows: 192 }
    const { weights, batch } = example('batchtopk', shape, 5)
    // Some rows are far larger than others, so that they hold most of what stays.
    const uneven = batch.map((x, at) => (Math.floor(at / shape.dIn) % 7 === 0 ? 6 * x : 0.3 * x))
    const settings = settingsOf('batchtopk', shape.dSae, { deadMask: null })
    const sparse = sparseRoute('batchtopk', weights, settings, { backend, threads: 2, batchTokens: shape.rows })
    compareRoutes(denseRoute('batchtopk', weights), sparse, uneven, settings)
    sparse.dispose()
  })
}

export function switchCase(backend: BackendName): void {
  it('gives up on a dense batch without changing anything, and takes over when codes are sparse', () => {
    const shape = { dIn: 8, dSae: 1200, rows: 96 }
    const architecture = architectureOf('standard')
    const { weights, batch } = example('standard', shape, 6)
    const settings = settingsOf('standard', shape.dSae)
    const config = configOf({ architecture: 'standard', dSae: shape.dSae, batchTokens: shape.rows })
    const { open, reason } = openKernels({ architecture, dIn: shape.dIn, config, backend, threads: 2 })
    expect(reason).toBe('')
    const bias = weights.bEnc?.data ?? new Float32Array(0)
    bias.fill(10)
    const sparse = open(weights)
    if (!sparse) throw new Error('the kernels did not open')
    const before = sparse.state()
    expect(sparse.step(batch, settings, update(1, false))).toBe(TOO_DENSE)
    expect(sparse.state()).toEqual(before)
    sparse.dispose()

    const steps = new Steps(architecture, shape, weights, open)
    const first = steps.step(batch, settings, update(1, false))
    expect([first.route, steps.route]).toEqual(['dense', 'dense'])
    const state = steps.state()
    state.parameters.bEnc?.data.fill(-2.5)
    steps.restore(state)
    expect(steps.step(batch, settings, update(2, false)).route).toBe('dense')
    expect(steps.route).toBe('sparse')
    expect(steps.step(batch, settings, update(3, false)).route).toBe('sparse')
    const dense = denseRoute('standard', weights)
    dense.restore(state)
    for (const step of [2, 3]) dense.step(batch, settings, update(step, false))
    expectNear(steps.state().parameters, dense.parameters(), 2e-5, 'parameter')
    steps.dispose()
  })

  it('says with numbers when a dictionary is too large for the kernels', () => {
    const architecture = architectureOf('topk')
    const config = configOf({ architecture: 'topk', dSae: 131072, batchTokens: 4096 })
    const { open, reason } = openKernels({ architecture, dIn: 2304, config, backend, threads: 2 })
    expect(reason).toMatch(/would need \d+\.\d GiB and WebAssembly ends at 4/)
    expect(open({})).toBeNull()
    expect(LARGEST_MEMORY).toBe(4 * 2 ** 30)
  })
}

/** The shapes of `npm run bench -- sae`: parameters with moments and gradient, and three batches. */
export function memoryCase(backend: BackendName): void {
  it.each([
    { name: 'topk', dIn: 288, dSae: 2304, batchTokens: 4096 },
    { name: 'standard', dIn: 288, dSae: 2304, batchTokens: 4096 },
    { name: 'topk', dIn: 768, dSae: 16384, batchTokens: 2048 },
  ] as const)('$name $dIn x $dSae, batch $batchTokens: no more memory than 4 x parameters + 3 batches', (shape) => {
    const { name, dIn, dSae, batchTokens } = shape
    const config = configOf({ architecture: name, dSae, batchTokens, k: 32 })
    const { start } = kernelBytes({ architecture: architectureOf(name), dIn, config, backend, threads: 2 })
    const parameters = 4 * (2 * dIn * dSae + dIn + dSae)
    expect(start).toBeLessThanOrEqual(4 * parameters + 3 * 4 * batchTokens * dIn)
  })
}
