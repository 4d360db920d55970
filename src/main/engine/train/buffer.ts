/** The shuffle buffer: a pool of activation vectors from many documents, out of which batches are drawn at random. */
import type { Random, RandomState } from './random'

/** Vectors of consecutive tokens, already scaled; `positions` name the tokens they came from. */
export type VectorBlock = { vectors: Float32Array; positions: Int32Array }

export type BufferState = {
  random: RandomState
  /** Positions of the vectors in the pool, in pool order; the vectors can be computed again from them. */
  positions: Int32Array
  /** Tokens of the source taken so far. */
  taken: number
}

/**
 * Draws rows without replacement from a pool that is filled up again whenever less than half of it is left.
 * What is drawn depends on the source and the generator alone.
 */
export class ShuffleBuffer {
  private readonly vectors: Float32Array
  private readonly positions: Int32Array
  private count = 0
  private taken = 0
  /** What did not fit the pool at the last fill. */
  private pending: VectorBlock | null = null

  /**
   * @param capacity vectors in the pool; at least two batches
   * @param source endless blocks of vectors
   */
  constructor(
    private readonly shape: { capacity: number; dIn: number },
    private readonly source: Iterator<VectorBlock>,
    private readonly random: Random,
  ) {
    this.vectors = new Float32Array(shape.capacity * shape.dIn)
    this.positions = new Int32Array(shape.capacity)
  }

  get state(): BufferState {
    return { random: this.random.state, positions: this.positions.slice(0, this.count), taken: this.taken }
  }

  /** Fills `batch` [rows, dIn] with random rows of the pool. */
  draw(batch: Float32Array): void {
    const { capacity, dIn } = this.shape
    const rows = batch.length / dIn
    if (this.count < Math.max(rows, capacity / 2)) this.fill()
    for (let row = 0; row < rows; row++) {
      const picked = this.random.int(this.count)
      const last = this.count - 1
      batch.set(this.vectors.subarray(picked * dIn, (picked + 1) * dIn), row * dIn)
      this.vectors.copyWithin(picked * dIn, last * dIn, (last + 1) * dIn)
      this.positions[picked] = this.positions[last] ?? 0
      this.count = last
    }
  }

  private fill(): void {
    const { capacity, dIn } = this.shape
    while (this.count < capacity) {
      const block = this.pending ?? this.nextBlock()
      const fits = Math.min(block.positions.length, capacity - this.count)
      this.vectors.set(block.vectors.subarray(0, fits * dIn), this.count * dIn)
      this.positions.set(block.positions.subarray(0, fits), this.count)
      this.count += fits
      this.taken += fits
      const rest = { vectors: block.vectors.subarray(fits * dIn), positions: block.positions.subarray(fits) }
      this.pending = rest.positions.length > 0 ? rest : null
    }
  }

  private nextBlock(): VectorBlock {
    const next = this.source.next()
    if (next.done === true) throw new Error('the source of activations has ended')
    return next.value
  }
}
