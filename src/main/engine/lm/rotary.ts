/** Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face checkpoints. */
import { tf } from '../tf'
import { rowsAt } from './positions'
import type { Positions } from './positions'

export type RopeScaling =
  | { type: 'none' }
  | { type: 'linear'; factor: number }
  | { type: 'llama3'; factor: number; lowFreqFactor: number; highFreqFactor: number; originalContext: number }
  | { type: 'longrope'; short: number[]; long: number[]; originalContext: number; magnitude: number }

/**
 * Angle per position of each rotating pair [width / 2], in float32 as the reference computes it.
 * llama3 (Llama 3.1): wavelengths longer than originalContext / lowFreqFactor turn `factor` times slower, those shorter than
 * originalContext / highFreqFactor stay, and those between are mixed linearly in originalContext / wavelength.
 * longrope (Ding et al. 2024): every pair has a factor of its own by which it turns slower, one list of them for texts up to
 * originalContext tokens and one for longer texts.
 * @param isLong whether the text is longer than originalContext; only longrope asks
 */
export function inverseFrequencies(width: number, theta: number, scaling: RopeScaling, isLong = false): Float32Array {
  const frequencies = new Float32Array(width / 2)
  for (let i = 0; i < frequencies.length; i++) {
    const plain = Math.fround(1 / theta ** ((2 * i) / width))
    frequencies[i] =
      scaling.type === 'longrope'
        ? plain / ((isLong ? scaling.long : scaling.short)[i] ?? 1)
        : scaleFrequency(plain, scaling)
  }
  return frequencies
}

type CommonScaling = Exclude<RopeScaling, { type: 'longrope' }>

function scaleFrequency(frequency: number, scaling: CommonScaling): number {
  if (scaling.type === 'none') return frequency
  if (scaling.type === 'linear') return frequency / scaling.factor
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling
  const turns = (originalContext * frequency) / (2 * Math.PI)
  if (turns < lowFreqFactor) return frequency / factor
  if (turns > highFreqFactor) return frequency
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
  return (1 - smooth) * (frequency / factor) + smooth * frequency
}

type Table = { length: number; cos: tf.Tensor2D; sin: tf.Tensor2D }

/** Rotates queries and keys; its tables grow with the longest sequence seen. */
export class Rotary {
  readonly #rotateHalf: tf.Tensor2D
  /** Tables of texts beyond the border of longrope (true), and of all others (false). */
  readonly #tables = new Map<boolean, Table>()

  constructor(
    private readonly headDim: number,
    private readonly theta: number,
    private readonly scaling: RopeScaling,
    /** How many features of a head, from the first on, are rotated; the others pass unchanged (GPT-NeoX, Phi-4-mini). */
    private readonly rotating = headDim,
  ) {
    this.#rotateHalf = tf.keep(rotateHalfMatrix(headDim, rotating))
  }

  /**
   * x cos + rotateHalf(x) sin with the angles of the positions. With longrope the length of a text with all that a cache holds of
   * it decides which factors it is read with, for each text of a batch by itself.
   * @param x [batch, time, heads, headDim]
   * @throws Error when a cache holds keys that longrope would turn otherwise now, see {@link cacheBorder}
   */
  apply(x: tf.Tensor4D, positions: Positions): tf.Tensor4D {
    const time = x.shape[1]
    const longRows = (positions.padding ?? [0]).map((padded) => this.#isLong(positions.offset - padded, time))
    const tables = longRows.map((isLong) => this.#tableOf(isLong, positions.offset + time))
    const part = (kind: 'cos' | 'sin') => tf.expandDims(rowsOfTables(tables, kind, { positions, time }), -2)
    // A product with a signed permutation is exact, differentiable and quicker than slicing and joining.
    const rotated = tf.reshape(tf.matMul(tf.reshape(x, [-1, this.headDim]), this.#rotateHalf), x.shape)
    return tf.add(tf.mul(x, part('cos')), tf.mul(rotated, part('sin')))
  }

  dispose(): void {
    this.#rotateHalf.dispose()
    for (const { cos, sin } of this.#tables.values()) tf.dispose([cos, sin])
    this.#tables.clear()
  }

  /** Whether a text of which `before` tokens are read, and `time` are coming, is beyond the border of longrope. */
  #isLong(before: number, time: number): boolean {
    const border = cacheBorder(this.scaling)
    if (border === null || before + time <= border) return false
    if (before > 0 && before <= border) {
      throw new Error(`keys of ${before} tokens do not hold for a text of more than ${border}; read it from its start`)
    }
    return true
  }

  #tableOf(isLong: boolean, length: number): Table {
    const known = this.#tables.get(isLong)
    if (known && known.length >= length) return known
    const rows = 2 ** Math.ceil(Math.log2(Math.max(length, 64)))
    const frequencies = inverseFrequencies(this.rotating, this.theta, this.scaling, isLong)
    const magnitude = this.scaling.type === 'longrope' ? this.scaling.magnitude : 1
    const cos = new Float32Array(rows * this.headDim).fill(1)
    const sin = new Float32Array(rows * this.headDim)
    for (let position = 0; position < rows; position++) {
      for (let i = 0; i < this.rotating; i++) {
        const angle = Math.fround(position * (frequencies[i % frequencies.length] ?? 0))
        cos[position * this.headDim + i] = magnitude * Math.cos(angle)
        sin[position * this.headDim + i] = magnitude * Math.sin(angle)
      }
    }
    if (known) tf.dispose([known.cos, known.sin])
    const shape: [number, number] = [rows, this.headDim]
    const table = { length: rows, cos: tf.keep(tf.tensor2d(cos, shape)), sin: tf.keep(tf.tensor2d(sin, shape)) }
    this.#tables.set(isLong, table)
    return table
  }
}

/** Length of a text in tokens beyond which its first keys are others, so that a cache of them no longer holds; null for none. */
export const cacheBorder = (scaling: RopeScaling): number | null =>
  scaling.type === 'longrope' ? scaling.originalContext : null

/** Rows of one table for all texts, or of a table for each text. @returns [time, width] or [batch, time, width] */
function rowsOfTables(
  tables: readonly Table[],
  kind: 'cos' | 'sin',
  { positions, time }: { positions: Positions; time: number },
): tf.Tensor {
  const [first] = tables
  if (!first) throw new Error('there is no text to rotate')
  if (tables.every((table) => table === first)) return rowsAt(first[kind], positions, time)
  const { offset, padding } = positions
  return tf.concat(
    tables.map((table, row) => rowsAt(table[kind], { offset, padding: [padding?.[row] ?? 0] }, time)),
    0,
  )
}

/** R with x R = (-x2, x1, 0) for x = (x1, x2, rest), the first `rotating` features split in halves. [headDim, headDim] */
function rotateHalfMatrix(headDim: number, rotating: number): tf.Tensor2D {
  const half = rotating / 2
  const matrix = new Float32Array(headDim * headDim)
  for (let i = 0; i < half; i++) {
    matrix[(half + i) * headDim + i] = -1
    matrix[i * headDim + half + i] = 1
  }
  return tf.tensor2d(matrix, [headDim, headDim])
}
