/** Keys and values of the positions a model has already read, so that generating a token costs one position only. */
import { tf } from '../tf'

/** Keys and values of one layer, both [batch * kvHeads, positions, headDim]. */
export class LayerCache {
  #keys: tf.Tensor3D | null = null
  #values: tf.Tensor3D | null = null

  /** Appends new positions and returns all of them. The cache owns what it returns. */
  extend(keys: tf.Tensor3D, values: tf.Tensor3D): { keys: tf.Tensor3D; values: tf.Tensor3D } {
    const next = {
      keys: tf.keep(this.#keys ? tf.concat([this.#keys, keys], 1) : keys.clone()),
      values: tf.keep(this.#values ? tf.concat([this.#values, values], 1) : values.clone()),
    }
    this.dispose()
    this.#keys = next.keys
    this.#values = next.values
    return next
  }

  dispose(): void {
    this.#keys?.dispose()
    this.#values?.dispose()
    this.#keys = null
    this.#values = null
  }
}

export class KeyValueCache {
  readonly #layers = new Map<number, LayerCache>()
  #length = 0

  /** Positions read so far. */
  get length(): number {
    return this.#length
  }

  layer(layer: number): LayerCache {
    const known = this.#layers.get(layer) ?? new LayerCache()
    this.#layers.set(layer, known)
    return known
  }

  advance(positions: number): void {
    this.#length += positions
  }

  dispose(): void {
    for (const layer of this.#layers.values()) layer.dispose()
    this.#layers.clear()
    this.#length = 0
  }
}
