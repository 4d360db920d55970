/** What every architecture must satisfy on every backend besides the fixtures: float64 loops, autograd, a flat memory. */
import { expect, it } from 'vitest'
import type { ArchitectureName, NamedTensors, StepSettings } from '../../src/main/engine/sae/architecture'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { toTensors } from '../../src/main/engine/train/dense-route'
import { memoryReport, tf } from '../../src/main/engine/tf'
import { ArchitectureName as Names } from '../../src/shared/training'
import { relativeError } from './goldens'
import { exampleOf, OFF, settingsOf } from './sae-examples'
import type { Example } from './sae-examples'
import { familyStep, jumpStep, toNumbers } from './sae-reference'

const valuesOf = (tensor: tf.Tensor | undefined) => tensor?.dataSync() ?? new Float32Array(0)

/** One dense step on the tensors of an example. */
function stepOf(name: ArchitectureName, { shape, rows, weights, x }: Example, settings: StepSettings) {
  const parameters = toTensors(weights)
  return architectureOf(name).step(parameters, tf.tensor2d(x, [rows, shape.dIn]), settings)
}

/** Settings whose formulas differ, one line each. */
const VARIANTS: { title: string; name: ArchitectureName; changes: Partial<StepSettings> }[] = [
  { title: 'topk', name: 'topk', changes: {} },
  { title: 'topk, nothing dead', name: 'topk', changes: { deadMask: new Uint8Array(40) } },
  { title: 'topk, fewer dead than auxK', name: 'topk', changes: { auxK: 30 } },
  { title: 'topk, no auxiliary term', name: 'topk', changes: { deadMask: null } },
  { title: 'batchtopk', name: 'batchtopk', changes: {} },
  { title: 'batchtopk, more allowed than positive', name: 'batchtopk', changes: { k: 40 } },
  { title: 'matryoshka_batchtopk', name: 'matryoshka_batchtopk', changes: { widths: [5, 17, 40] } },
  {
    title: 'matryoshka_batchtopk, nothing dead',
    name: 'matryoshka_batchtopk',
    changes: { widths: [9, 40], deadMask: null },
  },
  { title: 'jumprelu', name: 'jumprelu', changes: {} },
  { title: 'jumprelu, log form', name: 'jumprelu', changes: { thresholdForm: 'log' } },
  { title: 'jumprelu, target', name: 'jumprelu', changes: { targetL0: 9 } },
  { title: 'jumprelu, log form, target', name: 'jumprelu', changes: { thresholdForm: 'log', targetL0: 30 } },
]

export function referenceCases(): void {
  for (const { title, name, changes } of VARIANTS) {
    it(`${title}: losses, figures and gradients are those of the float64 loops`, () => {
      const example = exampleOf(name, 11)
      const { shape, rows, weights, x } = example
      const settings = settingsOf(shape, changes)
      const input = { shape, settings, weights: toNumbers(weights), x: Float64Array.from(x) }
      const wanted = name === 'jumprelu' ? jumpStep(input) : familyStep(input, name === 'topk')
      const got = stepOf(name, example, settings)
      for (const term of ['mse', 'sparsity', 'total'] as const) {
        expect(Math.abs(got.losses[term] - wanted.losses[term]), term).toBeLessThan(1e-5 * (1 + wanted.losses[term]))
      }
      if (wanted.losses.aux === null) expect(got.losses.aux).toBeNull()
      else expect(got.losses.aux).toBeCloseTo(wanted.losses.aux, 4)
      for (const weight of architectureOf(name).parameterNames) {
        const error = relativeError(valuesOf(got.gradients[weight]), wanted.gradients[weight] ?? [])
        expect(error, weight).toBeLessThan(1e-5)
      }
      const { featureActs } = wanted
      const sums = new Float64Array(shape.dSae)
      featureActs.forEach((f, place) => (sums[place % shape.dSae] = (sums[place % shape.dSae] ?? 0) + f))
      expect(relativeError(got.featureSums, sums)).toBeLessThan(1e-5)
      const active = featureActs.filter((f) => f > 0)
      expect(got.l0).toBe(active.length / rows)
      expect(got.smallestActive).toBeCloseTo(Math.min(...active), 5)
      const norms = valuesOf(tf.norm(tf.tensor2d(weights.wDec?.data ?? [], [shape.dSae, shape.dIn]), 'euclidean', 1))
      expect(got.l1).toBeCloseTo(sums.reduce((sum, value, i) => sum + value * (norms[i] ?? 0), 0) / rows, 3)
    })
  }
}

/** The loss as written in the paper, for autograd to differentiate. */
function standardLoss([wEnc, bEnc, wDec, bDec]: tf.Tensor[], saeIn: tf.Tensor, lambda: number): tf.Scalar {
  if (!wEnc || !bEnc || !wDec || !bDec) throw new Error('parameters are missing')
  const featureActs = tf.relu(tf.add(tf.matMul(saeIn, wEnc), bEnc))
  const norms = tf.sqrt(tf.sum(tf.square(wDec), 1))
  const penalty = tf.mean(tf.sum(tf.mul(featureActs, norms), 1))
  return tf.sum<tf.Scalar>(tf.add(distance(saeIn, featureActs, { wDec, bDec }), tf.mul(lambda, penalty)))
}

/** mean_b ||x - xhat||^2 */
function distance(saeIn: tf.Tensor, acts: tf.Tensor, { wDec, bDec }: { wDec: tf.Tensor; bDec: tf.Tensor }): tf.Tensor {
  return tf.mean(tf.sum(tf.square(tf.sub(tf.add(tf.matMul(acts, wDec), bDec), saeIn)), 1))
}

/** The same for gated; `frozen` are the decoder and its bias that the gate's reconstruction takes as given. */
function gatedLoss(
  [wEnc, bGate, rMag, bMag, wDec, bDec]: tf.Tensor[],
  { saeIn, lambda, frozen }: { saeIn: tf.Tensor; lambda: number; frozen: { wDec: tf.Tensor; bDec: tf.Tensor } },
): tf.Scalar {
  if (!wEnc || !bGate || !rMag || !bMag || !wDec || !bDec) throw new Error('parameters are missing')
  const pi = tf.matMul(tf.sub(saeIn, bDec), wEnc)
  const opening = tf.relu(tf.add(pi, bGate))
  const featureActs = tf.mul(tf.step(opening), tf.relu(tf.add(tf.mul(pi, tf.exp(rMag)), bMag)))
  const penalty = tf.mul(lambda, tf.mean(tf.sum(opening, 1)))
  const terms = [distance(saeIn, featureActs, { wDec, bDec }), penalty, distance(saeIn, opening, frozen)]
  return tf.sum<tf.Scalar>(tf.stack(terms))
}

/** Losses for autograd by architecture, from its parameters in their order. */
const AUTOGRAD_LOSSES = {
  standard: (tensors: tf.Tensor[], saeIn: tf.Tensor, _parameters: NamedTensors) => standardLoss(tensors, saeIn, 0.7),
  gated: (tensors: tf.Tensor[], saeIn: tf.Tensor, { wDec, bDec }: NamedTensors) => {
    if (!wDec || !bDec) throw new Error('parameters are missing')
    return gatedLoss(tensors, { saeIn, lambda: 0.7, frozen: { wDec: tf.clone(wDec), bDec: tf.clone(bDec) } })
  },
}

export function autogradCases(): void {
  for (const name of ['standard', 'gated'] as const) {
    it(`${name}: has the gradients that autograd finds`, () => {
      for (const seed of [1, 2, 3]) {
        const example = exampleOf(name, seed)
        const parameters = toTensors(example.weights)
        const held = toTensors(example.weights)
        const saeIn = tf.tensor2d(example.x, [example.rows, example.shape.dIn])
        const { parameterNames } = architectureOf(name)
        const tensors = parameterNames.map((weight) => parameters[weight]).filter((tensor) => tensor !== undefined)
        const lossOf = (args: tf.Tensor[]) => AUTOGRAD_LOSSES[name](args, saeIn, held)
        const expected = tf.grads((...args: tf.Tensor[]) => lossOf(args))(tensors)
        const { gradients, losses } = stepOf(name, example, settingsOf(example.shape))
        parameterNames.forEach((weight, i) => {
          expect(relativeError(valuesOf(gradients[weight]), valuesOf(expected[i])), weight).toBeLessThan(1e-5)
        })
        expect(losses.total).toBeCloseTo(lossOf(tensors).dataSync()[0] ?? Number.NaN, 3)
      }
    })
  }
}

export function edgeCases(): void {
  it.each(Names.options)('%s: gives a feature that is off exactly no gradient', (name) => {
    const example = exampleOf(name, 4)
    const { dIn, dSae } = example.shape
    const deadMask = Uint8Array.from({ length: dSae }, (_, i) => (i === OFF ? 1 : 0))
    const { gradients, featureSums } = stepOf(name, example, settingsOf(example.shape, { deadMask }))
    expect(featureSums[OFF]).toBe(0)
    for (const weight of ['bEnc', 'bGate', 'bMag', 'rMag']) {
      if (gradients[weight]) expect(Math.abs(valuesOf(gradients[weight])[OFF] ?? 1), weight).toBe(0)
    }
    const row = Array.from(valuesOf(gradients.wDec)).slice(OFF * dIn, (OFF + 1) * dIn)
    expect(row.map(Math.abs)).toEqual(new Array(dIn).fill(0))
  })

  it.each(Names.options)('%s: survives a decoder row of zeros', (name) => {
    const example = exampleOf(name, 5)
    example.weights.wDec?.data.fill(0, 0, example.shape.dIn)
    const { gradients, losses } = stepOf(name, example, settingsOf(example.shape))
    expect(Number.isFinite(losses.total)).toBe(true)
    for (const gradient of Object.values(gradients)) {
      expect(Array.from(valuesOf(gradient)).every(Number.isFinite)).toBe(true)
    }
  })

  it.each(Names.options)('%s: says so when the input is not a number', (name) => {
    const example = exampleOf(name, 5)
    example.x[7] = Number.NaN
    expect(stepOf(name, example, settingsOf(example.shape)).losses.total).toBeNaN()
  })
}

export function memoryCases(): void {
  it.each(Names.options)('%s: leaves no tensors behind but the gradients', (name) => {
    const { shape, rows, weights, x } = exampleOf(name, 7)
    const architecture = architectureOf(name)
    const parameters = toTensors(weights)
    const saeIn = tf.tensor2d(x, [rows, shape.dIn])
    const settings = settingsOf(shape)
    const before = memoryReport().tensors
    const { gradients } = architecture.step(parameters, saeIn, settings)
    expect(memoryReport().tensors).toBe(before + architecture.parameterNames.length)
    tf.dispose(gradients)
    const featureActs = architecture.encode(parameters, saeIn, { k: 6, threshold: 0.1, thresholdForm: 'direct' })
    const made = [featureActs, architecture.hiddenPre(parameters, saeIn), architecture.decode(parameters, featureActs)]
    expect(memoryReport().tensors).toBe(before + 3)
    tf.dispose(made)
  })
}
