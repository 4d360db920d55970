/** Normalisations of the residual stream. */
import { tf } from '../tf'
import type { LoadedWeights } from './family'
import { changeFewRows, isFew } from './few-values'

/** x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang & Sennrich 2019). Keeps the shape of x. */
export function rmsNorm<T extends tf.Tensor>(x: T, weight: tf.Tensor1D, eps: number): T {
  if (!isFew(x)) {
    const meanSquare = tf.mean(tf.square(x), -1, true)
    return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps))), weight)
  }
  const factors = weight.dataSync<'float32'>()
  return changeFewRows(x, (row) => {
    const scale = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + eps)
    row.forEach((value, i) => (row[i] = value * scale * (factors[i] ?? 0)))
  })
}

/** (x - mean) / sqrt(var + eps) * weight + bias over the last axis (Ba et al. 2016). */
export class LayerNorm {
  readonly #weight: tf.Tensor1D
  readonly #bias: tf.Tensor1D
  readonly #eps: number

  /** @param name of a checkpoint's norm: `name.weight` and `name.bias` */
  constructor(weights: LoadedWeights, name: string, eps: number) {
    this.#weight = weights.vector(`${name}.weight`)
    this.#bias = weights.vector(`${name}.bias`)
    this.#eps = eps
  }

  /** Keeps the shape of x. */
  apply<T extends tf.Tensor>(x: T): T {
    if (isFew(x)) return this.#applyToFew(x)
    const centred: T = tf.sub(x, tf.mean(x, -1, true))
    const variance = tf.mean(tf.square(centred), -1, true)
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, this.#eps))), this.#weight), this.#bias)
  }

  /** Its linear part: centred, times the weight, without the division by the deviation and without the bias. */
  linear(x: tf.Tensor2D): tf.Tensor2D {
    return tf.mul(tf.sub(x, tf.mean(x, -1, true)), this.#weight)
  }

  dispose(): void {
    this.#weight.dispose()
    this.#bias.dispose()
  }

  #applyToFew<T extends tf.Tensor>(x: T): T {
    const factors = this.#weight.dataSync<'float32'>()
    const shifts = this.#bias.dataSync<'float32'>()
    return changeFewRows(x, (row) => {
      const mean = row.reduce((sum, value) => sum + value, 0) / row.length
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
      const scale = 1 / Math.sqrt(variance + this.#eps)
      row.forEach((value, i) => (row[i] = (value - mean) * scale * (factors[i] ?? 0) + (shifts[i] ?? 0)))
    })
  }
}
