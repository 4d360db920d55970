/**
 * A learnt threshold per feature and a penalty on their number (Rajamanoharan et al. 2024).
 *   pre = x W_enc + b_enc    f = pre where pre > theta    xhat = f W_dec + b_dec
 *   loss = mean_b ||x - xhat||^2 + lambda * L0, or lambda * (L0 / target - 1)^2, with L0 = mean_b sum_i [pre_i > theta_i]
 * The trained `threshold` holds theta, negative ones counting as 0, or in the log form log theta.
 */
import { tf } from '../tf'
import { foldWeights, weightOf } from './fold'
import {
  affine,
  batchSums,
  constant,
  decode,
  figuresOf,
  initialDirections,
  keepGradients,
  meanSquares,
  productAndSums,
  rowNorms,
  take,
  throughDecoder,
  USUAL_NAMES,
  usualShapes,
} from './operations'
import type { Architecture, EncodeSettings, NamedTensors, StepResult, StepSettings } from './architecture'

type Form = EncodeSettings['thresholdForm']

const hiddenPre = (parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor =>
  affine(saeIn, take(parameters, 'wEnc'), take(parameters, 'bEnc'))

/** theta [dSae]. */
function thetaOf(parameters: NamedTensors, form: Form): tf.Tensor {
  const threshold = take(parameters, 'threshold')
  return form === 'log' ? tf.exp(threshold) : tf.relu(threshold)
}

/** pre [batch, dSae] where it is above theta [dSae]; the result is the caller's. */
export const jump = (pre: tf.Tensor, theta: tf.Tensor): tf.Tensor =>
  tf.tidy(() => tf.mul(pre, tf.step(tf.sub(pre, theta))))

/** The penalty and its derivative by L0. */
function penaltyOf(l0: number, { sparsity, targetL0 }: StepSettings): { term: number; slope: number } {
  if (targetL0 === null) return { term: l0, slope: sparsity }
  const distance = l0 / targetL0 - 1
  return { term: distance * distance, slope: (2 * sparsity * distance) / targetL0 }
}

/**
 * With K = [|pre - theta| < eps / 2] and c the derivative of the penalty by L0, the straight-through gradient is
 *   dpre = dxhat W_dec^T where pre > theta    dtheta = -1 / eps * sum_b K (theta * dxhat W_dec^T + c / B)
 * and theta times that in the log form. A direct threshold below 0 gets the gradient of theta = 0, or it could never come back.
 */
function gradientsOf(parameters: NamedTensors, saeIn: tf.Tensor, settings: StepSettings): StepResult {
  const [batch = 0] = saeIn.shape
  const wDec = take(parameters, 'wDec')
  const { bandwidth, sparsity, thresholdForm } = settings
  const theta = thetaOf(parameters, thresholdForm)
  const pre = hiddenPre(parameters, saeIn)
  const distance = tf.sub(pre, theta)
  const isOn = tf.step(distance)
  const featureActs = tf.mul(pre, isOn)
  const residual = tf.sub(decode(parameters, featureActs), saeIn)
  const dOut = tf.mul(residual, 2 / batch)
  const featureGradient = throughDecoder(dOut, wDec)
  const encoder = productAndSums(saeIn, tf.mul(featureGradient, isOn))
  const decoder = productAndSums(dOut, featureActs)
  const figures = figuresOf(featureActs.dataSync(), { batch, sums: decoder.sums, norms: rowNorms(parameters) })
  const { term, slope } = penaltyOf(figures.l0, settings)
  const isInside = tf.step(tf.sub(bandwidth / 2, tf.abs(distance)))
  const pulls = tf.mul(batchSums(tf.mul(isInside, featureGradient)), theta)
  const dTheta = tf.mul(tf.add(pulls, tf.mul(batchSums(isInside), slope / batch)), -1 / bandwidth)
  const mse = meanSquares(residual)
  return {
    ...figures,
    losses: { mse, sparsity: term, aux: null, total: mse + sparsity * term },
    gradients: {
      wEnc: encoder.product,
      bEnc: encoder.sums,
      wDec: tf.transpose(decoder.product),
      bDec: tf.sum(dOut, 0),
      threshold: thresholdForm === 'log' ? tf.mul(dTheta, theta) : dTheta,
    },
  }
}

export const jumprelu: Architecture = {
  name: 'jumprelu',
  parameterNames: [...USUAL_NAMES, 'threshold'],
  shiftsInput: false,
  hasUnitDecoder: false,
  shapes: (shape) => ({ ...usualShapes(shape), threshold: [shape.dSae] }),
  initialise: (shape, { decoderInitNorm, initialThreshold, thresholdForm }, random) => ({
    ...initialDirections(shape, decoderInitNorm, random),
    bEnc: constant(shape.dSae, 0),
    threshold: constant(shape.dSae, thresholdForm === 'log' ? Math.log(initialThreshold) : initialThreshold),
  }),
  hiddenPre,
  encode: (parameters, saeIn, { thresholdForm }) =>
    tf.tidy(() => jump(hiddenPre(parameters, saeIn), thetaOf(parameters, thresholdForm))),
  decode,
  step: (parameters, saeIn, settings) => keepGradients(() => gradientsOf(parameters, saeIn, settings)),
  finish: (weights, { scale, thresholdForm }) => {
    const { shape, data } = weightOf(weights, 'threshold')
    const theta = data.map((held) => (thresholdForm === 'log' ? Math.exp(held) : Math.max(held, 0)))
    return {
      architecture: 'jumprelu',
      weights: foldWeights(
        { ...weights, threshold: { shape, data: theta } },
        { scale, withNorms: ['bEnc', 'threshold'] },
      ),
      shiftsInput: false,
      k: null,
    }
  },
}
