/**
 * What topk, batchtopk and matryoshka_batchtopk have in common: the loss, and everything around the choice of active features.
 *   pre = (x - b_dec) W_enc + b_enc    f = relu(pre) where chosen    xhat_g = f[:m_g] W_dec[:m_g] + b_dec
 *   loss = mean_g mean_b ||x - xhat_g||^2 + alpha * mean_b ||e - f_aux W_dec||^2
 * with one width m_1 = dSae for the first two, e = x - xhat of all features, taken as given, and f_aux = relu(pre) on the auxK
 * largest dead features of each row (Gao et al. 2024).
 */
import { tf } from '../tf'
import { largestPerRow } from './largest'
import {
  constant,
  decode,
  figuresOf,
  initialDirections,
  keepGradients,
  meanSquares,
  productAndSums,
  rowNorms,
  shiftedPre,
  take,
  throughDecoder,
  throughShift,
  USUAL_NAMES,
  usualShapes,
} from './operations'
import type { Architecture, NamedTensors, StepResult, StepSettings } from './architecture'

/** Which activations are on while training: values before the non-linearity [batch, dSae] to featureActs of the same shape. */
export type Choice = (pre: Float32Array, options: { batch: number; dSae: number; k: number }) => Float32Array

export const hiddenPre = (parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor =>
  shiftedPre(parameters, saeIn, 'bEnc')

/**
 * Activations of dead features that reconstruct the error, [batch, dSae].
 * @param pre values before the non-linearity [batch, dSae]
 * @returns null when no feature is dead
 */
export function auxiliaryActs(
  pre: Float32Array,
  { auxK, deadMask }: Pick<StepSettings, 'auxK' | 'deadMask'>,
): Float32Array | null {
  if (!deadMask?.includes(1)) return null
  return largestPerRow(pre, { width: deadMask.length, k: auxK, allowed: deadMask })
}

/** Features of each nested dictionary that the one before does not have. */
function blocksOf(widths: readonly number[]): { first: number; count: number }[] {
  return widths.map((width, g) => ({ first: widths[g - 1] ?? 0, count: width - (widths[g - 1] ?? 0) }))
}

/** What one reconstruction from all or some of the features costs and how it changes them. */
type Reconstruction = {
  mse: number
  /** xhat - x of all features [batch, dIn]. */
  residual: tf.Tensor
  /** [batch, dSae] */
  featureGradient: tf.Tensor
  /** [dIn, dSae] */
  decoder: tf.Tensor
  featureSums: tf.Tensor
  bDec: tf.Tensor
}

/**
 * With D_g the sum of dxhat_h = 2 (xhat_h - x) / (B G) over the G dictionaries h >= g, which are those that hold block g:
 *   df = D_g W_dec[block]^T    dW_dec[block] = f[block]^T D_g    db_dec = sum_b D_1
 */
function reconstruct(
  parameters: NamedTensors,
  { saeIn, featureActs }: { saeIn: tf.Tensor; featureActs: tf.Tensor },
  widths: readonly number[],
): Reconstruction {
  const [batch = 0] = saeIn.shape
  const [wDec, bDec] = [take(parameters, 'wDec'), take(parameters, 'bDec')]
  const [, dIn = 0] = wDec.shape
  const isWhole = widths.length === 1
  const blocks = blocksOf(widths).map(({ first, count }) => ({
    acts: isWhole ? featureActs : tf.slice(featureActs, [0, first], [batch, count]),
    rows: isWhole ? wDec : tf.slice(wDec, [first, 0], [count, dIn]),
  }))
  let mse = 0
  let residual: tf.Tensor = tf.sub(bDec, saeIn)
  const gradients: tf.Tensor[] = []
  for (const { acts, rows } of blocks) {
    residual = tf.add(residual, tf.matMul(acts, rows))
    mse += meanSquares(residual) / widths.length
    gradients.push(tf.mul(residual, 2 / (batch * widths.length)))
  }
  let later: tf.Tensor | null = null
  const sides: { back: tf.Tensor; product: tf.Tensor; sums: tf.Tensor }[] = []
  for (const [g, { acts, rows }] of [...blocks.entries()].toReversed()) {
    const own = gradients[g] ?? residual
    later = later === null ? own : tf.add(later, own)
    sides.unshift({ back: throughDecoder(later, rows), ...productAndSums(later, acts) })
  }
  return {
    mse,
    residual,
    featureGradient: joined(sides.map(({ back }) => back)),
    decoder: joined(sides.map(({ product }) => product)),
    featureSums: tf.concat(sides.map(({ sums }) => sums)),
    bDec: tf.sum(later ?? residual, 0),
  }
}

/** Side by side; a single matrix as it is. */
const joined = ([first, ...others]: tf.Tensor[]): tf.Tensor =>
  first && others.length === 0 ? first : tf.concat(first ? [first, ...others] : others, 1)

/** The auxiliary term: with d = 2 alpha (ehat - e) / B, dpre = d W_dec^T where f_aux > 0 and dW_dec = f_aux^T d. */
function auxiliary(
  wDec: tf.Tensor,
  { acts, residual }: { acts: tf.Tensor; residual: tf.Tensor },
  coefficient: number,
): { aux: number; dPre: tf.Tensor; decoder: tf.Tensor } {
  const [batch = 0] = acts.shape
  const missed = tf.add(tf.matMul(acts, wDec), residual)
  const dOut = tf.mul(missed, (2 * coefficient) / batch)
  return {
    aux: meanSquares(missed),
    dPre: tf.mul(throughDecoder(dOut, wDec), tf.step(acts)),
    decoder: tf.matMul(tf.transpose(dOut), acts),
  }
}

/** Both terms send gradients into W_enc and b_enc through pre, and through its shift into b_dec: db_dec -= (sum_b dpre) W_enc^T. */
function gradientsOf(
  parameters: NamedTensors,
  saeIn: tf.Tensor,
  { settings, choose }: { settings: StepSettings; choose: Choice },
): StepResult {
  const [wEnc, wDec] = [take(parameters, 'wEnc'), take(parameters, 'wDec')]
  const [batch = 0] = saeIn.shape
  const [dSae = 0] = wDec.shape
  const pre = hiddenPre(parameters, saeIn).dataSync<'float32'>()
  const acts = choose(pre, { batch, dSae, k: settings.k })
  const auxActs = auxiliaryActs(pre, settings)
  const featureActs = tf.tensor2d(acts, [batch, dSae])
  const main = reconstruct(parameters, { saeIn, featureActs }, settings.widths)
  let dPre: tf.Tensor = tf.mul(main.featureGradient, tf.step(featureActs))
  let { decoder } = main
  let aux: number | null = null
  if (auxActs) {
    const options = { acts: tf.tensor2d(auxActs, [batch, dSae]), residual: main.residual }
    const term = auxiliary(wDec, options, settings.auxCoefficient)
    aux = term.aux
    dPre = tf.add(dPre, term.dPre)
    decoder = tf.add(decoder, term.decoder)
  }
  const encoder = productAndSums(tf.sub(saeIn, take(parameters, 'bDec')), dPre)
  const total = main.mse + settings.auxCoefficient * (aux ?? 0)
  return {
    ...figuresOf(acts, { batch, sums: main.featureSums, norms: rowNorms(parameters) }),
    losses: { mse: main.mse, sparsity: 0, aux, total },
    gradients: {
      wEnc: encoder.product,
      bEnc: encoder.sums,
      wDec: tf.transpose(decoder),
      bDec: tf.sub(main.bDec, throughShift(encoder.sums, wEnc)),
    },
  }
}

/** An architecture of this family but for its name, and how it is used after training. */
export const familyOf = (choose: Choice): Omit<Architecture, 'name' | 'encode' | 'finish'> => ({
  parameterNames: USUAL_NAMES,
  shiftsInput: true,
  hasUnitDecoder: true,
  shapes: usualShapes,
  initialise: (shape, _config, random) => ({
    ...initialDirections(shape, 1, random),
    bEnc: constant(shape.dSae, 0),
  }),
  hiddenPre,
  decode,
  step: (parameters, saeIn, settings) => keepGradients(() => gradientsOf(parameters, saeIn, { settings, choose })),
})
