/** What the standard autoencoder must satisfy on every backend: the golden fixture, autograd, folding, and a flat memory. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { NamedTensors, SaeWeights } from '../../src/main/engine/sae/architecture'
import { standard } from '../../src/main/engine/sae/standard'
import { Adam } from '../../src/main/engine/train/adam'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport, tf } from '../../src/main/engine/tf'
import { goldensFolder, readTensors, relativeError, report, reportSkip } from './goldens'

const NAMES = [['wEnc', 'W_enc'], ['bEnc', 'b_enc'], ['wDec', 'W_dec'], ['bDec', 'b_dec']] as const // prettier-ignore

const Expected = z.object({
  hyperparameters: z.object({ lam: z.number() }),
  losses: z.object({ mse: z.number(), l1: z.number(), total: z.number() }),
  losses_at_each_adam_step: z.array(z.object({ mse: z.number(), l1: z.number(), total: z.number() })),
  metrics: z.object({ l0: z.number(), fvu: z.number() }),
})

type Stored = Awaited<ReturnType<typeof readTensors>>

function floats(stored: Stored, name: string): { data: Float32Array; shape: number[] } {
  const found = stored.get(name)
  if (!(found?.data instanceof Float32Array)) throw new Error(`fixture lacks ${name}`)
  return { data: found.data, shape: found.shape }
}

const valuesOf = (tensor: tf.Tensor | undefined) => tensor?.dataSync() ?? new Float32Array(0)

const largestDifference = (got: ArrayLike<number>, expected: Float32Array) =>
  got.length === expected.length
    ? expected.reduce((most, value, i) => Math.max(most, Math.abs((got[i] ?? Number.NaN) - value)), 0)
    : Number.POSITIVE_INFINITY

/** Compares everything in `sae/l1`; tolerances are those of the fixtures' README. */
export function goldenCase(backend: string): void {
  const folder = goldensFolder()
  if (!folder) {
    reportSkip(`golden sae/l1 x ${backend}`, 'the goldens folder is absent; GOLDENS_DIR can name it')
    it.skip('agrees with golden sae/l1', () => undefined)
    return
  }
  it('agrees with golden sae/l1', async () => {
    const at = join(folder, 'sae/l1')
    expect(existsSync(at)).toBe(true)
    const { hyperparameters, losses, losses_at_each_adam_step, metrics } = Expected.parse(
      JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')),
    )
    const weights = await readTensors(join(at, 'weights.safetensors'))
    const expected = await readTensors(join(at, 'expected.safetensors'))
    const parameters: NamedTensors = {}
    for (const [ours, theirs] of NAMES) {
      const { data, shape } = floats(weights, theirs)
      parameters[ours] = tf.tensor(data, shape)
    }
    let compared = 0
    let worst = 0
    const near = (got: ArrayLike<number>, name: string, limit: number) => {
      const error = relativeError(got, floats(expected, name).data)
      expect(error, name).toBeLessThan(limit)
      worst = Math.max(worst, error)
      compared += 1
    }
    const x = floats(expected, 'x')
    const saeIn = tf.tensor(x.data, x.shape)
    const { wEnc, bEnc } = parameters
    if (!wEnc || !bEnc) throw new Error('parameters are missing')
    near(valuesOf(tf.add(tf.matMul(saeIn, wEnc), bEnc)), 'pre', 1e-5)
    const featureActs = standard.encode(parameters, saeIn)
    near(valuesOf(featureActs), 'f', 1e-5)
    near(valuesOf(standard.decode(parameters, featureActs)), 'xhat', 1e-5)
    const options = { l1Coefficient: hyperparameters.lam, countActive: true }
    const first = standard.step(parameters, saeIn, options)
    for (const term of ['mse', 'l1', 'total'] as const) {
      expect(Math.abs(first.losses[term] / losses[term] - 1), term).toBeLessThan(1e-5)
    }
    expect(first.l0).toBeCloseTo(metrics.l0, 5)
    for (const [ours, theirs] of NAMES) near(valuesOf(first.gradients[ours]), `grad.${theirs}`, 1e-4)
    const sums = new Float64Array(first.featureSums.length)
    floats(expected, 'f').data.forEach((value, i) => (sums[i % sums.length] = (sums[i % sums.length] ?? 0) + value))
    expect(relativeError(first.featureSums, sums)).toBeLessThan(1e-5)

    const adam = new Adam(parameters)
    const { data, shape } = floats(expected, 'batches')
    const [, rows = 0, dIn = 0] = shape
    for (let t = 1; t <= 3; t++) {
      const batch = tf.tensor2d(data.slice((t - 1) * rows * dIn, t * rows * dIn), [rows, dIn])
      const step = standard.step(parameters, batch, options)
      const wanted = losses_at_each_adam_step[t - 1]
      expect(Math.abs(step.losses.total / (wanted?.total ?? Number.NaN) - 1)).toBeLessThan(1e-5)
      adam.update(parameters, step.gradients, { learningRate: 1e-3, clipNorm: null })
      if (t === 2) continue
      for (const [ours, theirs] of NAMES) {
        const off = largestDifference(valuesOf(parameters[ours]), floats(expected, `after${t}.${theirs}`).data)
        expect(off, `after${t}.${theirs}`).toBeLessThan(1e-5)
        compared += 1
      }
    }
    report('sae/l1', backend, { tensors: compared, worst })
  })
}

/** Random parameters and inputs with some features off everywhere. */
function example(seed: number): { parameters: NamedTensors; saeIn: tf.Tensor2D } {
  const random = Random.fromSeed(seed)
  const [dIn, dSae, batch] = [12, 40, 33]
  const draw = (count: number, size: number) => Float32Array.from({ length: count }, () => size * random.normal())
  const bEnc = draw(dSae, 0.3)
  bEnc[3] = -100
  return {
    parameters: {
      wEnc: tf.tensor2d(draw(dIn * dSae, 0.3), [dIn, dSae]),
      bEnc: tf.tensor1d(bEnc),
      wDec: tf.tensor2d(draw(dSae * dIn, 0.5), [dSae, dIn]),
      bDec: tf.tensor1d(draw(dIn, 0.5)),
    },
    saeIn: tf.tensor2d(draw(batch * dIn, 1), [batch, dIn]),
  }
}

/** The loss as written in the paper, for autograd to differentiate. */
function lossOf([wEnc, bEnc, wDec, bDec]: tf.Tensor[], saeIn: tf.Tensor, lambda: number): tf.Scalar {
  if (!wEnc || !bEnc || !wDec || !bDec) throw new Error('parameters are missing')
  const featureActs = tf.relu(tf.add(tf.matMul(saeIn, wEnc), bEnc))
  const error = tf.sub(tf.add(tf.matMul(featureActs, wDec), bDec), saeIn)
  const norms = tf.sqrt(tf.sum(tf.square(wDec), 1))
  const mse = tf.mean(tf.sum(tf.square(error), 1))
  return tf.sum<tf.Scalar>(tf.add(mse, tf.mul(lambda, tf.mean(tf.sum(tf.mul(featureActs, norms), 1)))))
}

export function autogradCase(): void {
  it('has the gradients that autograd finds', () => {
    for (const seed of [1, 2, 3]) {
      const { parameters, saeIn } = example(seed)
      const tensors = NAMES.map(([name]) => parameters[name]).filter((tensor) => tensor !== undefined)
      const expected = tf.grads((...args: tf.Tensor[]) => lossOf(args, saeIn, 0.7))(tensors)
      const { gradients, losses } = standard.step(parameters, saeIn, { l1Coefficient: 0.7, countActive: false })
      NAMES.forEach(([name], i) => {
        expect(relativeError(valuesOf(gradients[name]), valuesOf(expected[i])), name).toBeLessThan(1e-5)
      })
      expect(losses.total).toBeCloseTo(lossOf(tensors, saeIn, 0.7).dataSync()[0] ?? Number.NaN, 3)
    }
  })

  it('gives a feature that is off exactly no gradient', () => {
    const { parameters, saeIn } = example(4)
    const { gradients, featureSums } = standard.step(parameters, saeIn, { l1Coefficient: 0.7, countActive: false })
    expect(featureSums[3]).toBe(0)
    expect(valuesOf(gradients.bEnc)[3]).toBe(0)
    expect(Array.from(valuesOf(gradients.wDec)).slice(3 * 12, 4 * 12)).toEqual(new Array(12).fill(0))
  })

  it('survives a decoder row of zeros', () => {
    const { parameters, saeIn } = example(5)
    const rows = Float32Array.from(valuesOf(parameters.wDec)).fill(0, 0, 12)
    parameters.wDec = tf.tensor2d(rows, [40, 12])
    const { gradients, losses } = standard.step(parameters, saeIn, { l1Coefficient: 0.7, countActive: false })
    expect(Number.isFinite(losses.total)).toBe(true)
    for (const [name] of NAMES) expect(Array.from(valuesOf(gradients[name])).every(Number.isFinite), name).toBe(true)
  })
}

export function foldCase(): void {
  it('folds to features of f_i n_i / s on raw inputs, with unit decoder rows', () => {
    const scale = 0.37
    const { parameters, saeIn } = example(6)
    const weights: SaeWeights = {}
    for (const [name] of NAMES) {
      const tensor = parameters[name]
      if (tensor) weights[name] = { shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) }
    }
    const folded = standard.fold(weights, scale)
    const foldedTensors: NamedTensors = {}
    for (const [name, { shape, data }] of Object.entries(folded)) foldedTensors[name] = tf.tensor(data, shape)
    const raw = tf.div(saeIn, scale)
    const { wDec } = parameters
    if (!wDec) throw new Error('wDec is missing')
    const norms = tf.sqrt(tf.sum(tf.square(wDec), 1))
    const normalised = standard.encode(parameters, saeIn)
    const got = standard.encode(foldedTensors, raw)
    expect(relativeError(valuesOf(got), valuesOf(tf.div(tf.mul(normalised, norms), scale)))).toBeLessThan(1e-5)
    const out = standard.decode(foldedTensors, got)
    expect(relativeError(valuesOf(out), valuesOf(tf.div(standard.decode(parameters, normalised), scale)))).toBeLessThan(
      1e-5,
    )
    const foldedNorms = valuesOf(tf.sqrt(tf.sum(tf.square(foldedTensors.wDec ?? wDec), 1)))
    for (const norm of foldedNorms) expect(norm).toBeCloseTo(1, 5)
  })
}

export function memoryCase(): void {
  it('leaves no tensors behind in a step', () => {
    const { parameters, saeIn } = example(7)
    const adam = new Adam(parameters)
    const step = () => {
      const { gradients } = standard.step(parameters, saeIn, { l1Coefficient: 0.7, countActive: true })
      adam.update(parameters, gradients, { learningRate: 1e-3, clipNorm: 1 })
    }
    step()
    const before = memoryReport().tensors
    for (let i = 0; i < 5; i++) step()
    expect(memoryReport().tensors).toBe(before)
  })
}
