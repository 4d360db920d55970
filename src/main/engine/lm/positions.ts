/** Where the tokens of a forward pass stand in their texts, so that texts of unequal length can be read side by side. */
import { tf } from '../tf'

export type Positions = {
  /** Columns that a cache holds already, padding included; 0 without a cache. */
  offset: number
  /** Columns of padding at the start of each row [batch]; null when no row has any. */
  padding: readonly number[] | null
}

/** Every row starts at its first column. */
export const FROM_START: Positions = { offset: 0, padding: null }

/**
 * Rows of a table by position, broadcastable over what has the shape [batch, time, ..., width]: one row for all texts where
 * none is padded. Padding takes the row of position 0, which nobody looks at.
 * @param table [positions, width]
 * @returns [time, width] or [batch, time, width]
 */
export function rowsAt(table: tf.Tensor2D, { offset, padding }: Positions, time: number): tf.Tensor2D | tf.Tensor3D {
  const width = table.shape[1]
  if (!padding) return tf.slice(table, [offset, 0], [time, width])
  const ids = new Int32Array(padding.length * time)
  padding.forEach((padded, row) => {
    for (let column = 0; column < time; column++) ids[row * time + column] = Math.max(0, offset + column - padded)
  })
  return tf.reshape<tf.Rank.R3>(tf.gather(table, tf.tensor1d(ids, 'int32')), [padding.length, time, width])
}
