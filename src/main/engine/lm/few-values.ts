/**
 * Plain loops for small tensors. A token that is generated has one row, and there the calls of ten operations cost more than their
 * numbers. Loops leave no tape, so gradients always take the operations.
 */
import { tf } from '../tf'

/** Up to so many values a loop is quicker than the operations it stands for. */
const FEW_VALUES = 4096
/** Texts that are read, however short, take the operations: so the fixtures hold those, and generation through a cache the loops. */
const FEW_ROWS = 4

export const isFew = (x: tf.Tensor): boolean =>
  x.size <= Math.min(FEW_VALUES, FEW_ROWS * (x.shape.at(-1) ?? 1)) && !tf.engine().isTapeOn()

/** Changes a copy of the values in place. @returns a tensor of the shape of x */
export function changeFew<T extends tf.Tensor>(x: T, change: (values: Float32Array) => void): T {
  const values = Float32Array.from(x.dataSync<'float32'>())
  change(values)
  // A tensor of the shape of x has its rank.
  return tf.tensor(values, x.shape, 'float32') as T
}

/** Changes each row, the last axis, in place. */
export function changeFewRows<T extends tf.Tensor>(x: T, change: (row: Float32Array) => void): T {
  const width = x.shape.at(-1) ?? 1
  return changeFew(x, (values) => {
    for (let at = 0; at < values.length; at += width) change(values.subarray(at, at + width))
  })
}
