/** Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face checkpoints. */
import { tf } from '../tf'

export type RopeScaling =
  | { type: 'none' }
  | { type: 'linear'; factor: number }
  | { type: 'llama3'; factor: number; lowFreqFactor: number; highFreqFactor: number; originalContext: number }

/**
 * Angle per position of each rotating pair [width / 2], in float32 as the reference computes it.
 * llama3 (Llama 3.1): wavelengths longer than originalContext / lowFreqFactor turn `factor` times slower, those shorter than
 * originalContext / highFreqFactor stay, and those between are mixed linearly in originalContext / wavelength.
 */
export function inverseFrequencies(width: number, theta: number, scaling: RopeScaling): Float32Array {
  const frequencies = new Float32Array(width / 2)
  for (let i = 0; i < frequencies.length; i++) {
    const plain = Math.fround(1 / theta ** ((2 * i) / width))
    frequencies[i] = scaleFrequency(plain, scaling)
  }
  return frequencies
}

function scaleFrequency(frequency: number, scaling: RopeScaling): number {
  if (scaling.type === 'none') return frequency
  if (scaling.type === 'linear') return frequency / scaling.factor
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling
  const turns = (originalContext * frequency) / (2 * Math.PI)
  if (turns < lowFreqFactor) return frequency / factor
  if (turns > highFreqFactor) return frequency
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
  return (1 - smooth) * (frequency / factor) + smooth * frequency
}

type Table = { length: number; cos: tf.Tensor2D; sin: tf.Tensor2D }

/** Rotates queries and keys; its tables grow with the longest sequence seen. */
export class Rotary {
  readonly #frequencies: Float32Array
  readonly #rotateHalf: tf.Tensor2D
  #table: Table | null = null

  constructor(
    private readonly headDim: number,
    theta: number,
    scaling: RopeScaling,
    /** How many features of a head, from the first on, are rotated; the others pass unchanged (GPT-NeoX). */
    private readonly rotating = headDim,
  ) {
    this.#frequencies = inverseFrequencies(rotating, theta, scaling)
    this.#rotateHalf = tf.keep(rotateHalfMatrix(headDim, rotating))
  }

  /**
   * x cos + rotateHalf(x) sin with angles of positions offset, offset + 1, ...
   * @param x [batch, time, heads, headDim]
   */
  apply(x: tf.Tensor4D, offset: number): tf.Tensor4D {
    const time = x.shape[1]
    const { cos, sin } = this.#tableOf(offset + time)
    const part = (table: tf.Tensor2D) =>
      tf.reshape(tf.slice(table, [offset, 0], [time, this.headDim]), [time, 1, this.headDim])
    // A product with a signed permutation is exact, differentiable and quicker than slicing and joining.
    const rotated = tf.reshape(tf.matMul(tf.reshape(x, [-1, this.headDim]), this.#rotateHalf), x.shape)
    return tf.add(tf.mul(x, part(cos)), tf.mul(rotated, part(sin)))
  }

  dispose(): void {
    this.#rotateHalf.dispose()
    this.#table?.cos.dispose()
    this.#table?.sin.dispose()
    this.#table = null
  }

  #tableOf(length: number): Table {
    if (this.#table && this.#table.length >= length) return this.#table
    const rows = 2 ** Math.ceil(Math.log2(Math.max(length, 64)))
    const half = this.rotating / 2
    const cos = new Float32Array(rows * this.headDim)
    const sin = new Float32Array(rows * this.headDim)
    for (let position = 0; position < rows; position++) {
      for (let i = 0; i < this.headDim; i++) {
        const frequency = i < this.rotating ? (this.#frequencies[i % half] ?? 0) : 0
        const angle = Math.fround(position * frequency)
        cos[position * this.headDim + i] = Math.cos(angle)
        sin[position * this.headDim + i] = Math.sin(angle)
      }
    }
    this.#table?.cos.dispose()
    this.#table?.sin.dispose()
    const shape: [number, number] = [rows, this.headDim]
    this.#table = { length: rows, cos: tf.keep(tf.tensor2d(cos, shape)), sin: tf.keep(tf.tensor2d(sin, shape)) }
    return this.#table
  }
}

/** R with x R = (-x2, x1, 0) for x = (x1, x2, rest), the first `rotating` features split in halves. [headDim, headDim] */
function rotateHalfMatrix(headDim: number, rotating: number): tf.Tensor2D {
  const half = rotating / 2
  const matrix = new Float32Array(headDim * headDim)
  for (let i = 0; i < half; i++) {
    matrix[(half + i) * headDim + i] = -1
    matrix[i * headDim + half + i] = 1
  }
  return tf.tensor2d(matrix, [headDim, headDim])
}
