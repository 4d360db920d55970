/**
 * One path decides whether a feature is on, another how strongly, with shared directions (Rajamanoharan et al. 2024, "Gated").
 *   pi = (x - b_dec) W_enc    gate = pi + b_gate    magnitude = pi exp(r_mag) + b_mag
 *   f = [gate > 0] relu(magnitude)    xhat = f W_dec + b_dec
 *   loss = mean_b ||x - xhat||^2 + lambda mean_b sum_i relu(gate_i) + mean_b ||x - xhat_gate||^2
 * with xhat_gate = relu(gate) W_dec + b_dec, both of which are taken as given in that last term.
 */
import { tf } from '../tf'
import { foldWeights } from './fold'
import {
  batchSums,
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
} from './operations'
import type { Architecture, NamedTensors, StepResult, StepSettings } from './architecture'

/** Both paths [batch, dSae] of pi [batch, dSae]; tensors are the caller's. */
export function pathsOf(parameters: NamedTensors, pi: tf.Tensor): { gate: tf.Tensor; magnitude: tf.Tensor } {
  return tf.tidy(() => ({
    gate: tf.add(pi, take(parameters, 'bGate')),
    magnitude: tf.add(tf.mul(pi, tf.exp(take(parameters, 'rMag'))), take(parameters, 'bMag')),
  }))
}

/** featureActs [batch, dSae] of pi [batch, dSae]; the result is the caller's. */
export function gateActs(parameters: NamedTensors, pi: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const { gate, magnitude } = pathsOf(parameters, pi)
    return tf.mul(tf.step(gate), tf.relu(magnitude))
  })
}

/** (x - b_dec) W_enc [batch, dSae]; the result is the caller's. */
export const directions = (parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor =>
  tf.tidy(() => tf.matMul(tf.sub(saeIn, take(parameters, 'bDec')), take(parameters, 'wEnc')))

/**
 * With r = xhat - x and r_gate = xhat_gate - x:
 *   dmagnitude = 2 r / B W_dec^T where f > 0    dgate = (2 r_gate / B W_dec^T + lambda / B) where gate > 0
 *   dpi = dgate + exp(r_mag) dmagnitude    dr_mag = exp(r_mag) sum_b pi dmagnitude    dW_dec = f^T 2 r / B
 *   db_dec = sum_b 2 r / B - (sum_b dpi) W_enc^T
 */
function gradientsOf(parameters: NamedTensors, saeIn: tf.Tensor, { sparsity }: StepSettings): StepResult {
  const [batch = 0] = saeIn.shape
  const [wEnc, wDec] = [take(parameters, 'wEnc'), take(parameters, 'wDec')]
  const shifted = tf.sub(saeIn, take(parameters, 'bDec'))
  const pi = tf.matMul(shifted, wEnc)
  const { gate, magnitude } = pathsOf(parameters, pi)
  const isOpen = tf.step(gate)
  const openings = tf.relu(gate)
  const featureActs = tf.mul(isOpen, tf.relu(magnitude))
  const residual = tf.sub(decode(parameters, featureActs), saeIn)
  const gateResidual = tf.sub(decode(parameters, openings), saeIn)
  const dOut = tf.mul(residual, 2 / batch)
  const dMagnitude = tf.mul(throughDecoder(dOut, wDec), tf.step(featureActs))
  const gateBack = tf.add(throughDecoder(tf.mul(gateResidual, 2 / batch), wDec), sparsity / batch)
  const dGate = tf.mul(gateBack, isOpen)
  const growth = tf.exp(take(parameters, 'rMag'))
  const encoder = productAndSums(shifted, tf.add(dGate, tf.mul(dMagnitude, growth)))
  const decoder = productAndSums(dOut, featureActs)
  const [mse, aux] = [meanSquares(residual), meanSquares(gateResidual)]
  const l1 =
    batchSums(openings)
      .dataSync<'float32'>()
      .reduce((sum, opening) => sum + opening, 0) / batch
  return {
    ...figuresOf(featureActs.dataSync(), { batch, sums: decoder.sums, norms: rowNorms(parameters) }),
    losses: { mse, sparsity: l1, aux, total: mse + sparsity * l1 + aux },
    gradients: {
      wEnc: encoder.product,
      bGate: batchSums(dGate),
      rMag: tf.mul(growth, batchSums(tf.mul(pi, dMagnitude))),
      bMag: batchSums(dMagnitude),
      wDec: tf.transpose(decoder.product),
      bDec: tf.sub(tf.sum(dOut, 0), throughShift(encoder.sums, wEnc)),
    },
  }
}

export const gated: Architecture = {
  name: 'gated',
  parameterNames: ['wEnc', 'bGate', 'rMag', 'bMag', 'wDec', 'bDec'],
  shiftsInput: true,
  hasUnitDecoder: false,
  shapes: ({ dIn, dSae }) => ({
    wEnc: [dIn, dSae],
    bGate: [dSae],
    rMag: [dSae],
    bMag: [dSae],
    wDec: [dSae, dIn],
    bDec: [dIn],
  }),
  initialise: (shape, { decoderInitNorm }, random) => ({
    ...initialDirections(shape, decoderInitNorm, random),
    bGate: constant(shape.dSae, 0),
    rMag: constant(shape.dSae, 0),
    bMag: constant(shape.dSae, 0),
  }),
  hiddenPre: (parameters, saeIn) => shiftedPre(parameters, saeIn, 'bGate'),
  encode: (parameters, saeIn) => tf.tidy(() => gateActs(parameters, directions(parameters, saeIn))),
  decode,
  step: (parameters, saeIn, settings) => keepGradients(() => gradientsOf(parameters, saeIn, settings)),
  finish: (weights, { scale }) => ({
    architecture: 'gated',
    weights: foldWeights(weights, { scale, withNorms: ['bGate', 'bMag'] }),
    shiftsInput: true,
    k: null,
  }),
}
