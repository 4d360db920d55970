/**
 * Operations that the architectures share. None transposes a matrix with a [batch, dSae] side, because wasm multiplies transposed
 * operands slowly; a row of ones under a transposed [batch, dIn] gives sums over the batch in the same product.
 */
import { tf } from '../tf'
import type { Random } from '../train/random'
import type { BatchFigures, NamedTensors, SaeShape, SaeWeights, StepResult } from './architecture'

/** The tensor of that name. */
export function take(parameters: NamedTensors, name: string): tf.Tensor {
  const tensor = parameters[name]
  if (!tensor) throw new Error(`parameter ${name} is missing`)
  return tensor
}

/** a b + bias, rectified if asked for; the result is the caller's. */
export function affine(
  a: tf.Tensor,
  b: tf.Tensor,
  bias: tf.Tensor,
  activation: 'linear' | 'relu' = 'linear',
): tf.Tensor {
  return tf.fused.matMul({ a, b, transposeA: false, transposeB: false, bias, activation })
}

/** featureActs [batch, dSae] to saeOut [batch, dIn] = f W_dec + b_dec; the result is the caller's. */
export function decode(parameters: NamedTensors, featureActs: tf.Tensor): tf.Tensor {
  return affine(featureActs, take(parameters, 'wDec'), take(parameters, 'bDec'))
}

/** (x - b_dec) W_enc + the bias of that name, [batch, dSae]; the result is the caller's. */
export function shiftedPre(parameters: NamedTensors, saeIn: tf.Tensor, bias: string): tf.Tensor {
  return tf.tidy(() =>
    affine(tf.sub(saeIn, take(parameters, 'bDec')), take(parameters, 'wEnc'), take(parameters, bias)),
  )
}

/** ||W_dec[i]|| [dSae]. */
export function rowNorms(parameters: NamedTensors): tf.Tensor {
  return tf.tidy(() => tf.sqrt(tf.sum(tf.square(take(parameters, 'wDec')), 1)))
}

/** dxhat W_dec^T [batch, dSae]. */
export function throughDecoder(dOut: tf.Tensor, wDec: tf.Tensor): tf.Tensor {
  return tf.matMul(dOut, tf.transpose(wDec))
}

/** Sums over the batch of [batch, n], as [n]. */
export function batchSums(matrix: tf.Tensor): tf.Tensor {
  const [batch = 0, width = 0] = matrix.shape
  return tf.reshape(tf.matMul(tf.ones([1, batch]), matrix), [width])
}

/** left^T right [m, n] and the sums of right over the batch [n], of left [batch, m] and right [batch, n]. */
export function productAndSums(left: tf.Tensor, right: tf.Tensor): { product: tf.Tensor; sums: tf.Tensor } {
  const [batch = 0, m = 0] = left.shape
  const [, n = 0] = right.shape
  const both = tf.matMul(tf.concat([tf.transpose(left), tf.ones([1, batch])], 0), right)
  return { product: tf.slice(both, [0, 0], [m, n]), sums: tf.reshape(tf.slice(both, [m, 0], [1, n]), [n]) }
}

/** What shifting the input takes from the gradient of b_dec: (sum_b dpre) W_enc^T [dIn], with the sums [dSae]. */
export function throughShift(preSums: tf.Tensor, wEnc: tf.Tensor): tf.Tensor {
  const [dIn = 0, dSae = 0] = wEnc.shape
  return tf.reshape(tf.matMul(wEnc, tf.reshape(preSums, [dSae, 1])), [dIn])
}

/** mean_b ||row||^2 of [batch, dIn]; the sum over rows is float64. */
export function meanSquares(matrix: tf.Tensor): number {
  const squares = tf.sum(tf.square(matrix), 1).dataSync()
  let sum = 0
  for (const square of squares) sum += square
  return sum / squares.length
}

/** Sum of the products of two arrays, float64. */
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** Figures of featureActs [batch, dSae] as read back, with their sums over the batch and the norms of the decoder's rows, both [dSae]. */
export function figuresOf(
  featureActs: tf.TypedArray,
  { batch, sums, norms }: { batch: number; sums: tf.Tensor; norms: tf.Tensor },
): Omit<BatchFigures, 'losses'> {
  let active = 0
  let smallest = Number.POSITIVE_INFINITY
  for (const value of featureActs) {
    if (!(value > 0)) continue
    active += 1
    if (value < smallest) smallest = value
  }
  const featureSums = Float32Array.from(sums.dataSync())
  return {
    l1: dot(featureSums, norms.dataSync()) / batch,
    l0: active / batch,
    featureSums,
    smallestActive: active === 0 ? 0 : smallest,
  }
}

/** Frees every tensor that a step makes but its gradients. */
export function keepGradients(compute: () => StepResult): StepResult {
  const engine = tf.engine()
  engine.startScope()
  let kept: StepResult['gradients'] = {}
  try {
    const result = compute()
    kept = result.gradients
    return result
  } finally {
    engine.endScope(kept)
  }
}

/** Decoder rows in random directions of the norm given, the encoder their transpose, b_dec zero. */
export function initialDirections({ dIn, dSae }: SaeShape, norm: number, random: Random): SaeWeights {
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
    const factor = norm / Math.sqrt(squares)
    for (let j = 0; j < dIn; j++) {
      const value = (row[j] ?? 0) * factor
      wDec[i * dIn + j] = value
      wEnc[j * dSae + i] = value
    }
  }
  return {
    wEnc: { shape: [dIn, dSae], data: wEnc },
    wDec: { shape: [dSae, dIn], data: wDec },
    bDec: { shape: [dIn], data: new Float32Array(dIn) },
  }
}

/** A weight per feature, all of one value. */
export const constant = (dSae: number, value: number): SaeWeights[string] => ({
  shape: [dSae],
  data: new Float32Array(dSae).fill(value),
})

/** The four parameters that most architectures have, in the order in which they are updated. */
export const USUAL_NAMES = ['wEnc', 'bEnc', 'wDec', 'bDec'] as const

export const usualShapes = ({ dIn, dSae }: SaeShape): Record<string, number[]> => ({
  wEnc: [dIn, dSae],
  bEnc: [dSae],
  wDec: [dSae, dIn],
  bDec: [dIn],
})
