/** Normalisations of the residual stream. */
import { tf } from '../tf'

/** x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang & Sennrich 2019). Keeps the shape of x. */
export function rmsNorm<T extends tf.Tensor>(x: T, weight: tf.Tensor1D, eps: number): T {
  const meanSquare = tf.mean(tf.square(x), -1, true)
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, eps))), weight)
}
