/** The shuffle buffer: a pool of activation vectors from many documents, out of which batches are drawn at random. */
import { Random } from './random'
import type { RandomState } from './random'

/** Vectors of consecutive tokens, already scaled; `positions` name the tokens they came from. */
export type VectorBlock = { vectors: Float32Array; positions: Int32Array }

export type BufferState = {
  random: RandomState
  /** What is in the pool, in pool order. */
  pool: VectorBlock
  /** What was taken from the source and did not fit the pool; may be empty. */
  pending: VectorBlock
  /** Tokens of the source that came into the pool so far. */
  taken: number
}

const EMPTY: VectorBlock = { vectors: new Float32Array(), positions: new Int32Array() }

/**
 * Draws rows without replacement from a pool that is filled up again whenever less than half of it is left.
 * What is drawn depends on the source and the generator alone.
 */
export class ShuffleBuffer {
  private readonly vectors: Float32Array
  private readonly positions: Int32Array
  private random: Random
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
    random: Random,
  ) {
    this.random = random
    this.vectors = new Float32Array(shape.capacity * shape.dIn)
    this.positions = new Int32Array(shape.capacity)
  }

  /** Views, not copies: good until the next draw. */
  get state(): BufferState {
    const { count, taken, pending } = this
    const vectors = this.vectors.subarray(0, count * this.shape.dIn)
    const pool = { vectors, positions: this.positions.subarray(0, count) }
    return { random: this.random.state, pool, pending: pending ?? EMPTY, taken }
  }

  /**
   * Takes up the state of another buffer of this shape; its source must stand where that one's did.
   * @throws Error when the state does not fit this buffer
   */
  restore({ random, pool, pending, taken }: BufferState): void {
    const { capacity, dIn } = this.shape
    for (const { vectors, positions } of [pool, pending]) {
      if (vectors.length !== positions.length * dIn) throw new Error('vectors and positions differ in number')
    }
    if (pool.positions.length > capacity) throw new Error('the pool is larger than the buffer')
    this.vectors.set(pool.vectors)
    this.positions.set(pool.positions)
    this.count = pool.positions.length
    this.pending = pending.positions.length > 0 ? pending : null
    this.taken = taken
    this.random = new Random(random)
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
