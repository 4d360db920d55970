/**
 * The paper's autoencoder: ReLU features and an L1 penalty weighted by decoder norms (Templeton et al. 2024).
 *   f = relu(x W_enc + b_enc)    xhat = f W_dec + b_dec
 *   loss = mean_b ||x - xhat||^2 + lambda * mean_b sum_i f_i ||W_dec[i]||
 */
import { tf } from '../tf'
import { foldWeights } from './fold'
import {
  affine,
  constant,
  decode,
  figuresOf,
  initialDirections,
  keepGradients,
  meanSquares,
  productAndSums,
  rowNorms,
  take,
  USUAL_NAMES,
  usualShapes,
} from './operations'
import type { Architecture, NamedTensors, StepResult, StepSettings } from './architecture'

/** Stands for the norm of a zero row where it is divided by; far above the smallest float32. */
const SMALLEST_NORM = 1e-20

const hiddenPre = (parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor =>
  affine(saeIn, take(parameters, 'wEnc'), take(parameters, 'bEnc'))

const encode = (parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor =>
  affine(saeIn, take(parameters, 'wEnc'), take(parameters, 'bEnc'), 'relu')

/**
 * Gradients in closed form, with r = xhat - x, n_i = ||W_dec[i]||, and the mask taken as 0 at f = 0:
 *   dxhat = 2 r / B
 *   dpre = (dxhat W_dec^T + lambda n / B) where f > 0
 *   dW_enc = x^T dpre    db_enc = sum_b dpre    db_dec = sum_b dxhat
 *   dW_dec = f^T dxhat + lambda mean_b(f_i) W_dec[i] / n_i
 */
function gradientsOf(parameters: NamedTensors, saeIn: tf.Tensor, { sparsity }: StepSettings): StepResult {
  const [batch = 0] = saeIn.shape
  const wDec = take(parameters, 'wDec')
  const [dSae = 0] = wDec.shape
  const featureActs = encode(parameters, saeIn)
  const residual = tf.sub(decode(parameters, featureActs), saeIn)
  const dOut = tf.mul(residual, 2 / batch)
  const norms = rowNorms(parameters)
  const featureGradient = affine(dOut, tf.transpose(wDec), tf.mul(norms, sparsity / batch))
  const encoder = productAndSums(saeIn, tf.mul(featureGradient, tf.step(featureActs)))
  const decoder = productAndSums(dOut, featureActs)
  // A zero row has no direction; its penalty gradient is taken as zero.
  const penalty = tf.div(tf.mul(decoder.sums, sparsity / batch), tf.maximum(norms, SMALLEST_NORM))
  const figures = figuresOf(featureActs.dataSync(), { batch, sums: decoder.sums, norms })
  const mse = meanSquares(residual)
  return {
    ...figures,
    losses: { mse, sparsity: figures.l1, aux: null, total: mse + sparsity * figures.l1 },
    gradients: {
      wEnc: encoder.product,
      bEnc: encoder.sums,
      wDec: tf.add(tf.transpose(decoder.product), tf.mul(wDec, tf.reshape(penalty, [dSae, 1]))),
      bDec: tf.sum(dOut, 0),
    },
  }
}

export const standard: Architecture = {
  name: 'standard',
  parameterNames: USUAL_NAMES,
  shiftsInput: false,
  hasUnitDecoder: false,
  shapes: usualShapes,
  initialise: (shape, { decoderInitNorm }, random) => ({
    ...initialDirections(shape, decoderInitNorm, random),
    bEnc: constant(shape.dSae, 0),
  }),
  hiddenPre,
  encode,
  decode,
  step: (parameters, saeIn, settings) => keepGradients(() => gradientsOf(parameters, saeIn, settings)),
  finish: (weights, { scale }) => ({
    architecture: 'standard',
    weights: foldWeights(weights, { scale, withNorms: ['bEnc'] }),
    shiftsInput: false,
    k: null,
  }),
}
