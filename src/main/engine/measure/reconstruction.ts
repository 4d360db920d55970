/** How well xhat stands for x: figures of many tokens, summed in float64 as blocks of them come by. Formulas in docs/metrics.md. */
import type { SaeQuality } from '../../../shared/training'

/** Edges of the density histogram: log10 of the firing share from -7 to 0 in halves. */
const DENSITY_BINS = 14
const BINS_PER_DECADE = 2
const LOWEST_DECADE = -7

export type Block = {
  /** Raw activations and their reconstructions [tokens, dIn]. */
  saeIn: Float32Array
  saeOut: Float32Array
  /** [tokens, dSae] */
  featureActs: Float32Array
  tokens: number
}

export type ReconstructionFigures = Pick<
  SaeQuality,
  | 'tokens'
  | 'explainedVariance'
  | 'normalisedMse'
  | 'l0'
  | 'l1'
  | 'silentFraction'
  | 'shrinkage'
  | 'relativeBias'
  | 'cosine'
  | 'l2Ratio'
  | 'densityHistogram'
>

const ratio = (above: number, below: number) => (below > 0 ? above / below : 0)

export class Reconstruction {
  private tokens = 0
  private readonly sum: Float64Array
  private readonly fired: Float64Array
  private squares = 0
  private errors = 0
  private active = 0
  private weighted = 0
  private cosines = 0
  private lengths = 0
  private out = 0
  private dot = 0
  private centredOut = 0
  private centredDot = 0

  /**
   * @param bDec [dIn], what xhat and x are centred on for the shrinkage
   * @param norms ||W_dec[i]|| [dSae]
   */
  constructor(
    private readonly bDec: Float32Array,
    private readonly norms: Float64Array,
  ) {
    this.sum = new Float64Array(bDec.length)
    this.fired = new Float64Array(norms.length)
  }

  add({ saeIn, saeOut, featureActs, tokens }: Block): void {
    const dIn = this.bDec.length
    for (let t = 0; t < tokens; t++) {
      let [xx, oo, xo, error] = [0, 0, 0, 0]
      for (let j = 0; j < dIn; j++) {
        const [x, out, b] = [saeIn[t * dIn + j] ?? 0, saeOut[t * dIn + j] ?? 0, this.bDec[j] ?? 0]
        this.sum[j] = (this.sum[j] ?? 0) + x
        xx += x * x
        oo += out * out
        xo += x * out
        error += (x - out) ** 2
        this.centredOut += (out - b) ** 2
        this.centredDot += (out - b) * (x - b)
      }
      this.squares += xx
      this.out += oo
      this.dot += xo
      this.errors += error
      this.cosines += ratio(xo, Math.sqrt(xx * oo))
      this.lengths += Math.sqrt(ratio(oo, xx))
    }
    this.countFeatures(featureActs)
    this.tokens += tokens
  }

  /** Mean of x over the tokens so far [dIn]. */
  mean(): Float32Array {
    return Float32Array.from(this.sum, (sum) => sum / Math.max(1, this.tokens))
  }

  figures(): ReconstructionFigures {
    const { tokens } = this
    // sum ||x - mean||^2 = sum ||x||^2 - n ||mean||^2: the mean of every dimension is squared, not that of their squares.
    const spread = this.squares - this.sum.reduce((total, sum) => total + (sum * sum) / tokens, 0)
    return {
      tokens,
      explainedVariance: 1 - this.errors / spread,
      normalisedMse: ratio(this.errors, this.squares),
      l0: this.active / tokens,
      l1: this.weighted / tokens,
      silentFraction: this.fired.reduce((silent, count) => silent + (count === 0 ? 1 : 0), 0) / this.fired.length,
      shrinkage: ratio(this.centredOut, this.centredDot),
      relativeBias: ratio(this.out, this.dot),
      cosine: this.cosines / tokens,
      l2Ratio: this.lengths / tokens,
      densityHistogram: this.densities(),
    }
  }

  private countFeatures(featureActs: Float32Array): void {
    const dSae = this.norms.length
    for (let at = 0; at < featureActs.length; at++) {
      const value = featureActs[at] ?? 0
      if (!(value > 0)) continue
      const i = at % dSae
      this.active += 1
      this.weighted += value * (this.norms[i] ?? 0)
      this.fired[i] = (this.fired[i] ?? 0) + 1
    }
  }

  private densities(): number[] {
    const bins = new Array<number>(DENSITY_BINS).fill(0)
    for (const count of this.fired) {
      if (count === 0) continue
      const at = Math.floor((Math.log10(count / this.tokens) - LOWEST_DECADE) * BINS_PER_DECADE)
      const bin = Math.min(DENSITY_BINS - 1, Math.max(0, at))
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    return bins
  }
}
