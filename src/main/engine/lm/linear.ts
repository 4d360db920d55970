/** A linear map with weights laid out for speed. */
import { tf } from '../tf'
import type { LoadedWeights } from './family'

/** x W + b for the last axis; W is kept [in, out], the layout whose product every backend has a fast kernel for. */
export class Linear {
  readonly #weight: tf.Tensor2D
  readonly #bias: tf.Tensor1D | null

  /**
   * @param name of a checkpoint's layer: `name.weight`, and `name.bias` when there is one
   * @param stored layout of the weight in the checkpoint; only gpt2 has it [in, out]
   */
  constructor(weights: LoadedWeights, name: string, stored: 'out-in' | 'in-out' = 'out-in') {
    const weight = weights.matrix(`${name}.weight`)
    this.#weight = stored === 'in-out' ? weight : tf.keep(tf.tidy(() => tf.transpose(weight)))
    if (stored === 'out-in') weight.dispose()
    this.#bias = weights.has(`${name}.bias`) ? weights.vector(`${name}.bias`) : null
  }

  /** @param x [rows, in] @returns [rows, out] */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    if (!this.#bias) return tf.matMul(x, this.#weight)
    // Only wasm has the fused kernel, which saves a pass over the values; elsewhere it costs three reshapes more.
    if (tf.getBackend() !== 'wasm') return this.#addBias(x, this.#bias)
    return tf.fused.matMul({ a: x, b: this.#weight, bias: this.#bias }) as tf.Tensor2D
  }

  /** x W alone. @param x [rows, in] @returns [rows, out] */
  map(x: tf.Tensor2D): tf.Tensor2D {
    return tf.matMul(x, this.#weight)
  }

  #addBias(x: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
    const product: tf.Tensor2D = tf.matMul(x, this.#weight)
    const sum: tf.Tensor2D = tf.add(product, bias)
    // Gone at once where no tape wants it: it is as large as the result.
    if (!tf.engine().isTapeOn()) product.dispose()
    return sum
  }

  dispose(): void {
    this.#weight.dispose()
    this.#bias?.dispose()
  }
}
