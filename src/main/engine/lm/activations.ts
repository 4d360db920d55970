/** Pointwise functions of the networks, from operations that every backend can compute and differentiate. */
import { tf } from '../tf'

/** x sigmoid(x) */
export function silu<T extends tf.Tensor>(x: T): T {
  return tf.mul(x, tf.sigmoid(x))
}

/** GELU by its tanh approximation, `gelu_new` and `gelu_pytorch_tanh` of configs (Hendrycks & Gimpel 2016). */
export function geluTanh<T extends tf.Tensor>(x: T): T {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI))
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
}

/** GELU by the error function, `gelu` of configs: x / 2 (1 + erf(x / sqrt(2))). */
export function geluErf<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))
}

const GELUS = new Map([
  ['gelu', geluErf],
  ['gelu_new', geluTanh],
  ['gelu_pytorch_tanh', geluTanh],
  ['gelu_fast', geluTanh],
])

/** The GELU that a config names. @throws Error when it names another activation */
export function geluNamed(name: string): typeof geluErf {
  const gelu = GELUS.get(name)
  if (!gelu) throw new Error(`the activation ${name} is not supported`)
  return gelu
}

/** cap tanh(x / cap), which stays within cap; x itself where there is none. */
export function softCap<T extends tf.Tensor>(x: T, cap: number | null): T {
  return cap === null ? x : tf.mul(tf.tanh(tf.div(x, cap)), cap)
}
