/**
 * The paper's autoencoder: ReLU features and an L1 penalty weighted by decoder norms (Templeton et al. 2024).
 *   f = relu(x W_enc + b_enc)    xhat = f W_dec + b_dec
 *   loss = mean_b ||x - xhat||^2 + lambda * mean_b sum_i f_i ||W_dec[i]||
 */
import { tf } from '../tf'
import type { Random } from '../train/random'
import { foldStandard } from './fold'
import type { Architecture, NamedTensors, SaeShape, StepResult } from './architecture'

const INITIAL_DECODER_NORM = 0.1
/** Stands for the norm of a zero row where it is divided by; far above the smallest float32. */
const SMALLEST_NORM = 1e-20

const names = ['wEnc', 'bEnc', 'wDec', 'bDec'] as const

/** The tensor of that name. */
function take(parameters: NamedTensors, name: (typeof names)[number]): tf.Tensor {
  const tensor = parameters[name]
  if (!tensor) throw new Error(`parameter ${name} is missing`)
  return tensor
}

/** Rows in random directions of norm 0.1, the encoder their transpose, biases zero. */
function initialise({ dIn, dSae }: SaeShape, random: Random): NamedTensors {
  const wDec = new Float32Array(dSae * dIn)
  const wEnc = new Float32Array(dIn * dSae)
  const row = new Float64Array(dIn)
  for (let i = 0; i < dSae; i++) {
    let squares = 0
    for (let j = 0; j < dIn; j++) {
      const z = random.normal()
      row[j] = z
      squares += z * z
    }
    const factor = INITIAL_DECODER_NORM / Math.sqrt(squares)
    for (let j = 0; j < dIn; j++) {
      const value = (row[j] ?? 0) * factor
      wDec[i * dIn + j] = value
      wEnc[j * dSae + i] = value
    }
  }
  return {
    wEnc: tf.tensor2d(wEnc, [dIn, dSae]),
    bEnc: tf.zeros([dSae]),
    wDec: tf.tensor2d(wDec, [dSae, dIn]),
    bDec: tf.zeros([dIn]),
  }
}

function encode(parameters: NamedTensors, saeIn: tf.Tensor): tf.Tensor {
  const [a, b, bias] = [saeIn, take(parameters, 'wEnc'), take(parameters, 'bEnc')]
  return tf.fused.matMul({ a, b, transposeA: false, transposeB: false, bias, activation: 'relu' })
}

function decode(parameters: NamedTensors, featureActs: tf.Tensor): tf.Tensor {
  const [a, b, bias] = [featureActs, take(parameters, 'wDec'), take(parameters, 'bDec')]
  return tf.fused.matMul({ a, b, transposeA: false, transposeB: false, bias })
}

const read = (tensor: tf.Tensor): number => tensor.dataSync()[0] ?? Number.NaN

/**
 * Gradients in closed form, with r = xhat - x, n_i = ||W_dec[i]||, and the mask taken as 0 at f = 0:
 *   dxhat = 2 r / B
 *   dpre = (dxhat W_dec^T + lambda n / B) where f > 0
 *   dW_enc = x^T dpre    db_enc = sum_b dpre    db_dec = sum_b dxhat
 *   dW_dec = f^T dxhat + lambda mean_b(f_i) W_dec[i] / n_i
 * Transposes are only taken of matrices without a [batch, dSae] side, because wasm multiplies transposed operands slowly;
 * a row of ones under x^T and dxhat^T gives the sums over the batch in the same product.
 */
function step(
  parameters: NamedTensors,
  saeIn: tf.Tensor,
  { l1Coefficient, countActive }: { l1Coefficient: number; countActive: boolean },
): StepResult {
  const [batch = 0] = saeIn.shape
  const wDec = take(parameters, 'wDec')
  const [dSae = 0, dIn = 0] = wDec.shape
  const kept = tf.tidy(() => {
    const featureActs = encode(parameters, saeIn)
    const residual = tf.sub(decode(parameters, featureActs), saeIn)
    const dOut = tf.mul(residual, 2 / batch)
    const norms = tf.sqrt(tf.sum(tf.square(wDec), 1))
    const ones = tf.ones([1, batch])
    const [dOutSums, featureGradient] = [
      tf.sum(dOut, 0),
      featureGradientOf(dOut, wDec, tf.mul(norms, l1Coefficient / batch)),
    ]
    const mask = tf.step(featureActs)
    const dPre = tf.mul(featureGradient, mask)
    const encoderSide = tf.matMul(tf.concat([tf.transpose(saeIn), ones], 0), dPre)
    const decoderSide = tf.matMul(tf.concat([tf.transpose(dOut), ones], 0), featureActs)
    const featureSums = tf.reshape(tf.slice(decoderSide, [dIn, 0], [1, dSae]), [dSae])
    // A zero row has no direction; its penalty gradient is taken as zero.
    const penalty = tf.div(tf.mul(featureSums, l1Coefficient / batch), tf.maximum(norms, SMALLEST_NORM))
    return {
      wEnc: tf.slice(encoderSide, [0, 0], [dIn, dSae]),
      bEnc: tf.reshape(tf.slice(encoderSide, [dIn, 0], [1, dSae]), [dSae]),
      wDec: tf.add(
        tf.transpose(tf.slice(decoderSide, [0, 0], [dIn, dSae])),
        tf.mul(wDec, tf.reshape(penalty, [dSae, 1])),
      ),
      bDec: dOutSums,
      featureSums,
      mse: tf.div(tf.sum(tf.square(residual)), batch),
      l1: tf.div(tf.sum(tf.mul(featureSums, norms)), batch),
      active: countActive ? tf.div(tf.sum(mask), batch) : tf.scalar(0),
    }
  })
  const { featureSums, mse, l1, active, ...gradients } = kept
  const losses = { mse: read(mse), l1: read(l1), total: 0 }
  losses.total = losses.mse + l1Coefficient * losses.l1
  const result = {
    gradients,
    losses,
    featureSums: Float32Array.from(featureSums.dataSync()),
    l0: countActive ? read(active) : null,
  }
  tf.dispose([featureSums, mse, l1, active])
  return result
}

/** dxhat W_dec^T + penalty, [batch, dSae]; `penalty` [dSae]. */
function featureGradientOf(dOut: tf.Tensor, wDec: tf.Tensor, penalty: tf.Tensor): tf.Tensor {
  return tf.fused.matMul({ a: dOut, b: tf.transpose(wDec), transposeA: false, transposeB: false, bias: penalty })
}

export const standard: Architecture = {
  name: 'standard',
  parameterNames: names,
  shapes: ({ dIn, dSae }) => ({ wEnc: [dIn, dSae], bEnc: [dSae], wDec: [dSae, dIn], bDec: [dIn] }),
  initialise,
  encode,
  decode,
  step,
  fold: foldStandard,
}
