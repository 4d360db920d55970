/** Keys and values of the positions a model has already read, so that generating a token costs one position only. */
import { tf } from '../tf'

/** Keys and values of consecutive positions, both [batch * kvHeads, positions, headDim]. */
export type KeysValues = { keys: tf.Tensor3D; values: tf.Tensor3D }

/** So many positions gather before they are joined to the older ones: every join copies all that is there. */
const RECENT_POSITIONS = 64

/** Keys and values of one layer, in a long old part and a short recent one. */
export class LayerCache {
  #old: KeysValues | null = null
  #recent: KeysValues | null = null

  /** Appends new positions and returns all of them, in order. The cache owns what it returns. */
  extend(keys: tf.Tensor3D, values: tf.Tensor3D): KeysValues[] {
    const added = { keys: tf.keep(keys.clone()), values: tf.keep(values.clone()) }
    if (this.#old && this.#recent && this.#recent.keys.shape[1] >= RECENT_POSITIONS) {
      this.#old = joined(this.#old, this.#recent)
      this.#recent = null
    }
    if (!this.#old) this.#old = added
    else this.#recent = this.#recent ? joined(this.#recent, added) : added
    return this.#recent ? [this.#old, this.#recent] : [this.#old]
  }

  dispose(): void {
    for (const part of [this.#old, this.#recent]) if (part) tf.dispose([part.keys, part.values])
    this.#old = null
    this.#recent = null
  }
}

/** Both as one; they are gone afterwards. */
function joined(older: KeysValues, newer: KeysValues): KeysValues {
  const all = {
    keys: tf.keep(tf.concat([older.keys, newer.keys], 1)),
    values: tf.keep(tf.concat([older.values, newer.values], 1)),
  }
  tf.dispose([older.keys, older.values, newer.keys, newer.values])
  return all
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
