/** A linear map with weights laid out for speed. */
import { tf } from '../tf'
import type { LoadedWeights } from './family'

/** x W + b for the last axis; W is kept [in, out], the layout whose product every backend has a fast kernel for. */
export class Linear {
  readonly #weight: tf.Tensor2D
  readonly #bias: tf.Tensor1D | null

  /** @param name of a checkpoint's layer: `name.weight` stored [out, in], and `name.bias` when there is one */
  constructor(weights: LoadedWeights, name: string) {
    const stored = weights.matrix(`${name}.weight`)
    this.#weight = tf.keep(tf.tidy(() => tf.transpose(stored)))
    stored.dispose()
    this.#bias = weights.has(`${name}.bias`) ? weights.vector(`${name}.bias`) : null
  }

  /** @param x [rows, in] @returns [rows, out] */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    const product: tf.Tensor2D = tf.matMul(x, this.#weight)
    return this.#bias ? tf.add(product, this.#bias) : product
  }

  dispose(): void {
    this.#weight.dispose()
    this.#bias?.dispose()
  }
}
