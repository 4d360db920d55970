/** Pointwise functions of the networks, from operations that every backend can compute and differentiate. */
import { tf } from '../tf'
import { changeFew, isFew } from './few-values'

/** x sigmoid(x) */
export function silu<T extends tf.Tensor>(x: T): T {
  if (isFew(x)) {
    return changeFew(x, (values) => values.forEach((value, i) => (values[i] = value / (1 + Math.exp(-value)))))
  }
  return tf.mul(x, tf.sigmoid(x))
}

/**
 * GELU by its tanh approximation, `gelu_new` and `gelu_pytorch_tanh` of configs (Hendrycks & Gimpel 2016):
 * x / 2 (1 + tanh(c (x + 0.044715 x^3))) with c = sqrt(2 / pi), written with 1 + tanh(u) = 2 sigmoid(2 u), which takes three
 * passes over the values less.
 */
export function geluTanh<T extends tf.Tensor>(x: T): T {
  const twice = 2 * Math.sqrt(2 / Math.PI)
  if (isFew(x)) {
    const geluOf = (value: number) => value / (1 + Math.exp(-value * twice * (1 + 0.044715 * value * value)))
    return changeFew(x, (values) => values.forEach((value, i) => (values[i] = geluOf(value))))
  }
  const inner = tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715 * twice), twice))
  return tf.mul(x, tf.sigmoid(inner))
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
