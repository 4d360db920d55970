/** What a language model must beat: counts of single tokens and of pairs, and gzip. */
import { gzipSync } from 'node:zlib'

const LEVEL = { level: 9 }
/** Weights of the unigram in the bigram's counts; the best of them is reported, which favours the baseline. */
export const PRIORS = [1, 10, 30, 100, 300, 1000, 3000]

/** Counts of tokens and of neighbours. */
export class Counts {
  private readonly singles: Float64Array
  private readonly pairs = new Map<number, number>()

  constructor(
    ids: Uint16Array,
    private readonly vocabulary: number,
  ) {
    // One for each token, so that none is impossible.
    this.singles = new Float64Array(vocabulary).fill(1)
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at] ?? 0
      this.singles[id] = (this.singles[id] ?? 0) + 1
      if (at === 0) continue
      const pair = (ids[at - 1] ?? 0) * vocabulary + id
      this.pairs.set(pair, (this.pairs.get(pair) ?? 0) + 1)
    }
    this.total = this.singles.reduce((sum, count) => sum + count, 0)
  }

  private readonly total: number

  /** -log2 p(id) */
  unigramBits(id: number): number {
    return -Math.log2((this.singles[id] ?? 0) / this.total)
  }

  /** -log2 of (count(before, id) + prior p(id)) / (count(before) + prior) */
  bigramBits(before: number, id: number, prior: number): number {
    const single = (this.singles[id] ?? 0) / this.total
    const pair = this.pairs.get(before * this.vocabulary + id) ?? 0
    return -Math.log2((pair + prior * single) / ((this.singles[before] ?? 0) - 1 + prior))
  }
}

/** Bits that gzip -9 needs for a text. */
export const gzipBits = (text: string): number => 8 * gzipSync(Buffer.from(text, 'utf8'), LEVEL).length
