/** Counts, sums, largest values and histograms of feature activations, gathered in any number of parts that merge exactly. */
import { INTERVALS } from '../../files/atlas-file'
import { ExactSums } from './exact-sums'

/** Bins over a power of two above the largest value; at least half of them lie below it. */
export const FINE_BINS = 1024

export type FeatureFigures = {
  /** [dSae] */
  fired: Float64Array<ArrayBuffer>
  sum: Float64Array<ArrayBuffer>
  max: Float32Array<ArrayBuffer>
  /** [dSae, bins] */
  histogram: Float32Array<ArrayBuffer>
  /** Width of a feature's intervals [dSae], and how many activations fell into each [dSae, INTERVALS]. */
  intervalWidth: Float32Array<ArrayBuffer>
  intervalFired: Float64Array<ArrayBuffer>
}

/** Smallest power of two above a positive value. */
const rangeFor = (value: number) => 2 ** (Math.floor(Math.log2(value)) + 1)

/**
 * Equal bins from 0 to the largest value, cut out of finer ones: a fine bin that a border goes through is shared out by how much of it lies
 * on each side, as if its values were spread evenly (the last one ends at the largest value). Borders are rounded to whole counts, so that
 * the bins add up to all values. What a border may be off is the unevenness within one fine bin, and half a count.
 * @param top the largest value in widths of a fine bin, within the last fine bin that is not empty
 * @returns counts [bins]
 */
export function wideBins(fine: ArrayLike<number>, top: number, bins: number): Float32Array {
  const counts = new Float32Array(bins)
  let [below, at, before] = [0, 0, 0]
  for (let bin = 0; bin < bins; bin++) {
    const border = bin === bins - 1 ? Infinity : (top * (bin + 1)) / bins
    while (at < fine.length && at + 1 <= border) below += fine[at++] ?? 0
    const inside = at < fine.length ? (border - at) / Math.min(1, Math.max(top - at, border - at)) : 0
    const upTo = Math.round(below + inside * (fine[at] ?? 0))
    counts[bin] = upTo - before
    before = upTo
  }
  return counts
}

/**
 * A histogram needs its range before the largest value is known, so values fall into fine equal bins over a power of two that
 * doubles when needed; doubling merges pairs of bins, which is exact, and so is adding the bins of two parts. At the end the wide bins
 * are cut out of the fine ones, {@link wideBins}.
 */
export class FeatureStatistics {
  readonly fired: Float64Array<ArrayBuffer>
  readonly sums: ExactSums
  readonly max: Float32Array<ArrayBuffer>
  /** The power of two over which a feature's bins lie [dSae]; 0 for one that was never active. */
  readonly range: Float64Array<ArrayBuffer>
  /** [dSae, FINE_BINS] */
  readonly fine: Uint32Array<ArrayBuffer>

  constructor(private readonly dSae: number) {
    this.fired = new Float64Array(dSae)
    this.sums = new ExactSums(dSae)
    this.max = new Float32Array(dSae)
    this.range = new Float64Array(dSae)
    this.fine = new Uint32Array(dSae * FINE_BINS)
  }

  /**
   * Widens a feature's range until it lies above `value`, which is above 0.
   * @returns how many times what it already had was halved
   */
  widen(feature: number, value: number): number {
    const range = this.range[feature] ?? 0
    if (value < range) return 0
    if (range === 0) {
      this.range[feature] = rangeFor(value)
      return 0
    }
    let times = 0
    for (let wide = range; value >= wide; wide *= 2) times += 1
    for (let k = 0; k < times; k++) this.halve(feature)
    this.range[feature] = range * 2 ** times
    return times
  }

  /** Counts one activation above zero and below the range. */
  add(feature: number, value: number): void {
    this.fired[feature] = (this.fired[feature] ?? 0) + 1
    this.sums.add(feature, value)
    if (value > (this.max[feature] ?? 0)) this.max[feature] = value
    const bin = feature * FINE_BINS + Math.floor((value / (this.range[feature] ?? 1)) * FINE_BINS)
    this.fine[bin] = (this.fine[bin] ?? 0) + 1
  }

  /** The interval that a value below the range lies in. */
  intervalOf(feature: number, value: number): number {
    return Math.floor((value / (this.range[feature] ?? 1)) * INTERVALS)
  }

  /** Takes in one feature of another part; both must have the same range. */
  mergeFeature(other: FeatureStatistics, feature: number): void {
    this.fired[feature] = (this.fired[feature] ?? 0) + (other.fired[feature] ?? 0)
    this.max[feature] = Math.max(this.max[feature] ?? 0, other.max[feature] ?? 0)
    for (let bin = feature * FINE_BINS; bin < (feature + 1) * FINE_BINS; bin++) {
      this.fine[bin] = (this.fine[bin] ?? 0) + (other.fine[bin] ?? 0)
    }
  }

  /** @param bins bins of the histograms, from 0 to each feature's largest value */
  figures(bins: number): FeatureFigures {
    const { dSae, fired, max } = this
    const histogram = new Float32Array(dSae * bins)
    const intervalFired = new Float64Array(dSae * INTERVALS)
    for (let feature = 0; feature < dSae; feature++) {
      const width = (this.range[feature] ?? 0) / FINE_BINS
      if (width === 0) continue
      const fine = this.fine.subarray(feature * FINE_BINS, (feature + 1) * FINE_BINS)
      histogram.set(wideBins(fine, (max[feature] ?? 0) / width, bins), feature * bins)
      fine.forEach((count, k) => {
        const interval = feature * INTERVALS + Math.floor((k * INTERVALS) / FINE_BINS)
        intervalFired[interval] = (intervalFired[interval] ?? 0) + count
      })
    }
    const intervalWidth = Float32Array.from(this.range, (range) => range / INTERVALS)
    return { fired, sum: this.sums.values(), max, histogram, intervalWidth, intervalFired }
  }

  private halve(feature: number): void {
    const bins = this.fine.subarray(feature * FINE_BINS, (feature + 1) * FINE_BINS)
    for (let k = 0; k < FINE_BINS / 2; k++) bins[k] = (bins[2 * k] ?? 0) + (bins[2 * k + 1] ?? 0)
    bins.fill(0, FINE_BINS / 2)
  }
}
