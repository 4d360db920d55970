/** Exact nearest rows by cosine: every pair is looked at, a block of products at a time. */
import { tf } from '../tf'
import { Largest } from './largest'

/** Products that are read back at once stay below this. */
const BLOCK_BYTES = 64 * 1024 * 1024

/** Rows of a block whose products are each `width` long. */
export const rowsPerBlock = (width: number): number => Math.max(1, Math.floor(BLOCK_BYTES / (4 * width)))

/** [n, dIn], row-major. */
export type Rows = { rows: Float32Array; dIn: number }

export type BlockSteps = {
  multiply: (block: tf.Tensor2D) => tf.Tensor2D
  take: (products: Float32Array, firstRow: number, count: number) => void
  /** Called between blocks; false ends the work early. */
  onBlock: () => Promise<boolean>
}

/** Calls `take` with products of some rows, each `width` long, until all were seen. @returns false when it was stopped */
export async function inBlocks({ rows, dIn }: Rows, width: number, steps: BlockSteps): Promise<boolean> {
  const [total, most] = [rows.length / dIn, rowsPerBlock(width)]
  for (let first = 0; first < total; first += most) {
    const count = Math.min(most, total - first)
    const products = tf.tidy(() =>
      steps.multiply(tf.tensor2d(rows.slice(first * dIn, (first + count) * dIn), [count, dIn])),
    )
    // Read outside of tidy, which would look at every number of an array for tensors.
    steps.take(products.dataSync<'float32'>(), first, count)
    products.dispose()
    if (!(await steps.onBlock())) return false
  }
  return true
}

export type NearestOptions = {
  /** Both with rows of length 1: [n, dIn] of which the nearest are wanted among [m, dIn]. */
  of: Rows
  among: Rows
  /** Neighbours of each row. */
  count: number
  /** Whether row j of `among` may be a neighbour of row i. */
  isAllowed: (i: number, j: number) => boolean
  onBlock: BlockSteps['onBlock']
}

/** Both [n, count], the nearest first, padded with -1 and 0. */
export type Nearest = { indexes: Int32Array<ArrayBuffer>; cosines: Float32Array<ArrayBuffer> }

/** The rows with the largest cosine, the lower index first among equals. @returns null when `onBlock` said to stop */
export async function nearestRows({ of, among, count, isAllowed, onBlock }: NearestOptions): Promise<Nearest | null> {
  const [n, m] = [of.rows.length / of.dIn, among.rows.length / among.dIn]
  const indexes = new Int32Array(n * count).fill(-1)
  const cosines = new Float32Array(n * count)
  const largest = new Largest(count)
  const all = tf.tensor2d(among.rows, [m, among.dIn])
  const take = (products: Float32Array, first: number, rows: number) => {
    for (let row = 0; row < rows; row++) {
      const i = first + row
      largest.clear()
      for (let j = 0, at = row * m; j < m; j++, at++) {
        if (isAllowed(i, j)) largest.offer(j, products[at] ?? 0)
      }
      indexes.set(largest.indexes(), i * count)
      cosines.set(largest.values(), i * count)
    }
  }
  const multiply = (block: tf.Tensor2D): tf.Tensor2D => tf.matMul(block, all, false, true)
  const isDone = await inBlocks(of, m, { multiply, take, onBlock })
  all.dispose()
  return isDone ? { indexes, cosines } : null
}
