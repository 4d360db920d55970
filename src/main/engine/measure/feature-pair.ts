/** Two features on the same stretches of documents: the activation of each on every token, and how far they go together. */
import type { Passage, Together } from '../../../shared/domain'
import type { RowCodes } from './window-codes'

/** The passage from the beginning of its window, as a corpus is cut: position of its first token, and the ids. */
export function fromWindow({ first, ids, from }: Passage, windowTokens: number): { start: number; ids: Int32Array } {
  const start = Math.floor(from / windowTokens) * windowTokens
  return { start, ids: ids.subarray(start - first) }
}

/** Activations of one feature on every token [tokens]. */
export function columnOf({ starts, features, values }: RowCodes, feature: number): Float32Array {
  return Float32Array.from({ length: starts.length - 1 }, (_, row) => {
    const at = features.subarray(starts[row], starts[row + 1]).indexOf(feature)
    return at < 0 ? 0 : (values[(starts[row] ?? 0) + at] ?? 0)
  })
}

/** Tokens with the activations of two features; one that was read twice is kept once, in contexts of another size too. */
export class PairTokens {
  private readonly seen = new Set<string>()
  private readonly one: number[] = []
  private readonly other: number[] = []

  /** Takes the tokens of a passage from position `start` on. */
  add({ corpus, document }: Passage, start: number, [one, other]: readonly [Float32Array, Float32Array]) {
    one.forEach((value, at) => {
      const key = `${corpus} ${document} ${start + at}`
      if (this.seen.has(key)) return
      this.seen.add(key)
      this.one.push(value)
      this.other.push(other[at] ?? 0)
    })
  }

  together(): Together {
    const firedIn = (values: readonly number[]) => values.filter((value) => value > 0).length
    return {
      tokens: this.one.length,
      firedOne: firedIn(this.one),
      firedOther: firedIn(this.other),
      firedBoth: this.one.filter((value, at) => value > 0 && (this.other[at] ?? 0) > 0).length,
      correlation: pearson(this.one, this.other),
    }
  }
}

/** r = sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)^2 sum (y - mean y)^2), in two passes of float64; null for a constant. */
export function pearson(x: readonly number[], y: readonly number[]): number | null {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [meanOf(x), meanOf(y)]
  let [xx, yy, xy] = [0, 0, 0]
  x.forEach((value, at) => {
    const [dx, dy] = [value - meanX, (y[at] ?? 0) - meanY]
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  })
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null
}
