/** Counts, sums, largest values and histograms of feature activations, gathered in one pass. */

/** Bins kept while the largest value is not known yet; at the end at least half of them lie below it. */
const FINE_BINS = 1024

export type FeatureFigures = {
  /** [dSae] */
  fired: Float64Array<ArrayBuffer>
  sum: Float64Array<ArrayBuffer>
  max: Float32Array<ArrayBuffer>
  /** [dSae, bins] */
  histogram: Float32Array<ArrayBuffer>
}

type FineHistogram = { counts: Float64Array; range: number }

/** Smallest power of two above a positive value. */
const rangeFor = (value: number) => 2 ** (Math.floor(Math.log2(value)) + 1)

/**
 * A histogram needs its range before the largest value is known, so values fall into fine equal bins over a power of two that
 * doubles when needed; doubling merges pairs of bins, which is exact. At the end each fine bin goes, whole, to the wide bin that its
 * middle lies in: counts stay integers and add up to `fired`, and a value can only be counted in a neighbouring bin when it is closer
 * to the border than half a fine bin, that is max / 1024.
 */
export class FeatureStatistics {
  readonly fired: Float64Array<ArrayBuffer>
  readonly sum: Float64Array<ArrayBuffer>
  readonly max: Float32Array<ArrayBuffer>
  private readonly fine: (FineHistogram | undefined)[]

  constructor(private readonly dSae: number) {
    this.fired = new Float64Array(dSae)
    this.sum = new Float64Array(dSae)
    this.max = new Float32Array(dSae)
    this.fine = new Array<FineHistogram | undefined>(dSae).fill(undefined)
  }

  /** Counts one activation above zero. */
  add(feature: number, value: number): void {
    this.fired[feature] = (this.fired[feature] ?? 0) + 1
    this.sum[feature] = (this.sum[feature] ?? 0) + value
    if (value > (this.max[feature] ?? 0)) this.max[feature] = value
    const fine = (this.fine[feature] ??= { counts: new Float64Array(FINE_BINS), range: rangeFor(value) })
    while (value >= fine.range) double(fine)
    const bin = Math.floor((value / fine.range) * FINE_BINS)
    fine.counts[bin] = (fine.counts[bin] ?? 0) + 1
  }

  /** @param bins bins of the histograms, from 0 to each feature's largest value */
  figures(bins: number): FeatureFigures {
    const histogram = new Float32Array(this.dSae * bins)
    this.fine.forEach((fine, feature) => {
      if (!fine) return
      const width = fine.range / FINE_BINS
      fine.counts.forEach((count, k) => {
        if (count === 0) return
        const bin = Math.min(bins - 1, Math.floor((((k + 0.5) * width) / (this.max[feature] ?? 1)) * bins))
        const at = feature * bins + bin
        histogram[at] = (histogram[at] ?? 0) + count
      })
    })
    return { fired: this.fired, sum: this.sum, max: this.max, histogram }
  }
}

function double(fine: FineHistogram): void {
  const { counts } = fine
  for (let k = 0; k < FINE_BINS / 2; k++) counts[k] = (counts[2 * k] ?? 0) + (counts[2 * k + 1] ?? 0)
  counts.fill(0, FINE_BINS / 2)
  fine.range *= 2
}
