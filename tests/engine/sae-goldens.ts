/** Compares every architecture, and every route of training steps, with the golden autoencoders; limits are those of their README. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { spread } from '../../src/main/engine/measure/held-out'
import type {
  ArchitectureName,
  BatchFigures,
  LossTerms,
  NamedTensors,
  SaeWeights,
  StepSettings,
} from '../../src/main/engine/sae/architecture'
import { decoderNorms } from '../../src/main/engine/sae/fold'
import { largestOfAll } from '../../src/main/engine/sae/largest'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { auxiliaryActs } from '../../src/main/engine/sae/topk-family'
import { tf } from '../../src/main/engine/tf'
import { toTensors } from '../../src/main/engine/train/dense-route'
import { TOO_DENSE } from '../../src/main/engine/train/route'
import type { Route } from '../../src/main/engine/train/route'
import { goldensFolder, readTensors, relativeError, report, reportSkip } from './goldens'

export const GOLDEN_KINDS = ['l1', 'topk', 'batchtopk', 'jumprelu', 'gated'] as const
export type GoldenKind = (typeof GOLDEN_KINDS)[number]

const NAMES = {
  ...{ W_enc: 'wEnc', b_enc: 'bEnc', W_dec: 'wDec', b_dec: 'bDec' },
  ...{ log_threshold: 'threshold', b_gate: 'bGate', b_mag: 'bMag', r_mag: 'rMag' },
}

const Expected = z.object({
  hyperparameters: z.object({
    lam: z.number().default(0),
    k: z.int().default(1),
    k_aux: z.int().default(0),
    alpha: z.number().default(0),
    threshold: z.number().default(0),
    bandwidth: z.number().default(1),
  }),
  parameters: z.array(z.enum(Object.keys(NAMES) as [keyof typeof NAMES])),
  losses: z.record(z.string(), z.number()),
  losses_at_each_adam_step: z.array(z.record(z.string(), z.number())),
  metrics: z.looseObject({ l0: z.number(), fvu: z.number() }),
})

type Fixture = {
  kind: GoldenKind
  name: ArchitectureName
  expected: z.infer<typeof Expected>
  tensor(name: string): { data: Float32Array; shape: number[] }
  weights: SaeWeights
  settings: StepSettings
}

async function readFixture(folder: string, kind: GoldenKind): Promise<Fixture> {
  const at = join(folder, 'sae', kind)
  const expected = Expected.parse(JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')))
  const stored = await readTensors(join(at, 'weights.safetensors'))
  const found = await readTensors(join(at, 'expected.safetensors'))
  const tensorOf = (from: typeof found, name: string) => {
    const tensor = from.get(name)
    if (!(tensor?.data instanceof Float32Array)) throw new Error(`fixture ${kind} lacks ${name}`)
    return { data: tensor.data, shape: tensor.shape }
  }
  const weights = Object.fromEntries(expected.parameters.map((name) => [NAMES[name], tensorOf(stored, name)]))
  const { lam, k, k_aux, alpha, bandwidth } = expected.hyperparameters
  const mask = stored.get('dead_mask')?.data
  const settings: StepSettings = {
    ...{ sparsity: lam, targetL0: null, bandwidth, thresholdForm: 'log', k, auxK: k_aux, auxCoefficient: alpha },
    deadMask: mask ? Uint8Array.from(mask, Number) : null,
    widths: [weights.wDec?.shape[0] ?? 0],
  }
  const name = kind === 'l1' ? 'standard' : kind
  return { kind, name, expected, tensor: (tensor) => tensorOf(found, tensor), weights, settings }
}

/** Counts what was compared and remembers the worst error. */
class Comparison {
  tensors = 0
  worst = 0

  constructor(private readonly fixture: Fixture) {}

  near(got: ArrayLike<number>, name: string, limit: number): void {
    const error = relativeError(got, this.fixture.tensor(name).data)
    expect(error, name).toBeLessThan(limit)
    this.worst = Math.max(this.worst, error)
    this.tensors += 1
  }

  /** Parameters after Adam are held absolutely: one step moves them by about 1e-3. */
  after(weights: SaeWeights, step: number): void {
    for (const theirs of this.fixture.expected.parameters) {
      const wanted = this.fixture.tensor(`after${step}.${theirs}`).data
      const got = weights[NAMES[theirs]]?.data ?? new Float32Array(0)
      expect(got.length).toBe(wanted.length)
      const off = wanted.reduce((most, value, i) => Math.max(most, Math.abs((got[i] ?? Number.NaN) - value)), 0)
      expect(off, `after${step}.${theirs}`).toBeLessThan(1e-5)
      this.tensors += 1
    }
  }
}

function withFixture(kind: GoldenKind, title: string, body: (fixture: Fixture) => void): void {
  const folder = goldensFolder()
  if (!folder) {
    reportSkip(`golden sae/${kind}: ${title}`, 'the goldens folder is absent; GOLDENS_DIR can name it')
    it.skip(`${kind}: ${title}`, () => undefined)
    return
  }
  it(`${kind}: ${title}`, async () => body(await readFixture(folder, kind)))
}

function compareForward(fixture: Fixture, compared: Comparison): void {
  const { name, kind, expected, settings, tensor, weights } = fixture
  const architecture = architectureOf(name)
  const parameters = toTensors(weights)
  const { data, shape } = tensor('x')
  const [rows = 0, dSae = 0] = tensor('pre').shape
  const saeIn = tf.tensor(data, shape)
  const near = (got: tf.Tensor, what: string) => compared.near(got.dataSync(), what, 1e-5)
  const pre = architecture.hiddenPre(parameters, saeIn)
  near(pre, 'pre')
  const acts = tf.relu(pre)
  const values = pre.dataSync<'float32'>()
  const { threshold, k } = expected.hyperparameters
  const used = architecture.encode(parameters, saeIn, { k, threshold, thresholdForm: 'log' })
  // While training, batchtopk chooses in the whole batch.
  const featureActs = kind === 'batchtopk' ? tf.tensor2d(largestOfAll(values, k * rows), [rows, dSae]) : used
  near(featureActs, 'f')
  near(architecture.decode(parameters, featureActs), 'xhat')
  if (kind === 'batchtopk') {
    near(used, 'f_inference')
    near(architecture.decode(parameters, used), 'xhat_inference')
  }
  const aux = auxiliaryActs(values, settings)
  if (aux) {
    const auxActs = tf.tensor2d(aux, [rows, dSae])
    near(auxActs, 'f_aux')
    near(tf.matMul(auxActs, wDecOf(parameters)), 'ehat')
  }
  if (kind === 'gated') {
    near(architecture.decode(parameters, acts), 'xhat_gate')
    const { bGate, rMag, bMag } = parameters
    if (!bGate || !rMag || !bMag) throw new Error('fixture lacks biases')
    near(tf.add(tf.mul(tf.sub(pre, bGate), tf.exp(rMag)), bMag), 'pi_mag')
  }
}

function wDecOf({ wDec }: NamedTensors): tf.Tensor {
  if (!wDec) throw new Error('fixture lacks W_dec')
  return wDec
}

/** pre, f, xhat and what else a kind has, by plain tfjs operations. */
export function goldenForwardCase(kind: GoldenKind, backend: string): void {
  withFixture(kind, 'forward', (fixture) => {
    const compared = new Comparison(fixture)
    tf.tidy(() => compareForward(fixture, compared))
    report(`sae/${kind} forward`, backend, compared)
  })
}

/** Every term of a kind under the name it has there. */
function compareLosses(losses: LossTerms, expected: Record<string, number>): void {
  const { mse, total, ...terms } = expected
  const wanted = { mse, total, sparsity: terms.l1 ?? terms.l0, aux: terms.auxk ?? terms.aux }
  expect(wanted).toMatchObject({ mse: expect.any(Number) as number, total: expect.any(Number) as number })
  for (const term of ['mse', 'total', 'sparsity', 'aux'] as const) {
    const loss = wanted[term]
    if (loss !== undefined) expect(Math.abs((losses[term] ?? Number.NaN) / loss - 1), term).toBeLessThan(1e-5)
  }
}

/** Figures that follow from the stored f, xhat and W_dec. */
function compareFigures({ expected, tensor, weights }: Fixture, figures: BatchFigures): void {
  const { data: acts, shape } = tensor('f')
  const [rows = 0, dSae = 0] = shape
  const sums = new Float64Array(dSae)
  acts.forEach((value, place) => (sums[place % dSae] = (sums[place % dSae] ?? 0) + value))
  expect(relativeError(figures.featureSums, sums), 'featureSums').toBeLessThan(1e-5)
  const l1 = decoderNorms(weights).reduce((sum, norm, i) => sum + norm * (sums[i] ?? 0), 0) / rows
  expect(Math.abs(figures.l1 / l1 - 1), 'l1').toBeLessThan(1e-5)
  const smallest = acts.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), Number.POSITIVE_INFINITY)
  // An entry of f, so its error is measured against the largest one as that of f is.
  const largest = acts.reduce((most, value) => Math.max(most, value), 0)
  expect(Math.abs(figures.smallestActive - smallest) / largest, 'smallestActive').toBeLessThan(1e-5)
  expect(figures.l0).toBeCloseTo(expected.metrics.l0, 5)
  const x = tensor('x')
  const fvu = (figures.losses.mse * rows) / spread(x.data, x.shape[1] ?? 0, rows)
  expect(Math.abs(fvu / expected.metrics.fvu - 1), 'fvu').toBeLessThan(1e-5)
}

/** Every loss term, every gradient, and the parameters after one and three steps of Adam, by a route. */
export function goldenRouteCase(
  kind: GoldenKind,
  on: string,
  makeRoute: (name: ArchitectureName, weights: SaeWeights, settings: StepSettings) => Route,
): void {
  withFixture(kind, `steps, ${on}`, (fixture) => {
    const { expected, name, settings, tensor, weights } = fixture
    const compared = new Comparison(fixture)
    const route = makeRoute(name, weights, settings)
    const found = route.gradients(tensor('x').data, settings)
    if (found === TOO_DENSE) throw new Error('the route gave up')
    const { losses } = found.figures
    compareLosses(losses, expected.losses)
    compareFigures(fixture, found.figures)
    for (const theirs of expected.parameters) {
      compared.near(found.gradients[NAMES[theirs]]?.data ?? [], `grad.${theirs}`, 1e-4)
    }
    const { data, shape } = tensor('batches')
    const length = (shape[1] ?? 0) * (shape[2] ?? 0)
    for (let step = 1; step <= 3; step++) {
      const figures = route.step(data.slice((step - 1) * length, step * length), settings, {
        ...{ learningRate: 1e-3, clipNorm: null, update: step, unitDecoder: false, check: () => undefined },
      })
      if (figures === TOO_DENSE) throw new Error('the route gave up')
      compareLosses(figures.losses, expected.losses_at_each_adam_step[step - 1] ?? {})
      if (step !== 2) compared.after(route.parameters(), step)
    }
    route.dispose()
    report(`sae/${kind} steps`, on, compared)
  })
}
