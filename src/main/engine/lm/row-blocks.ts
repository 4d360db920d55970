/** Applies a map to rows some at a time, so that the values in between stay few enough for caches and memory. */
import { tf } from '../tf'

/** Rows at a time: enough for a product to be worth its call, few enough for a wide MLP's values to stay near the processor. */
const BLOCK_ROWS = 512

/**
 * f(x) for a function of each row by itself. While gradients are recorded everything is one block: a tape keeps all values anyway.
 * @param x [rows, in]
 * @param f from [n, in] to [n, out]
 * @returns [rows, out]
 */
export function mapRows(x: tf.Tensor2D, f: (rows: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D {
  const [rows, width] = x.shape
  if (rows <= BLOCK_ROWS || tf.engine().isTapeOn()) return f(x)
  const parts: tf.Tensor2D[] = []
  for (let at = 0; at < rows; at += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - at)
    parts.push(tf.tidy(() => f(tf.slice(x, [at, 0], [count, width]))))
  }
  const joined = tf.concat(parts, 0)
  tf.dispose(parts)
  return joined
}
