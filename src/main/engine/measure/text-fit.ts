/** How much of a text an autoencoder explains; formula in docs/metrics.md. */

/** Fewer tokens say too little of a text: below this the figure of ordinary text wanders by more than the limit of what is told. */
export const FEWEST_TOKENS = 16

export class TextFit {
  private tokens = 0
  private error = 0
  private squares = 0
  private sums = new Float64Array()

  /**
   * Takes in some tokens.
   * @param saeIn x [tokens, dIn]
   * @param saeOut xhat [tokens, dIn]
   * @param dropped 1 for a token that does not count [tokens]
   */
  add(saeIn: Float32Array, saeOut: Float32Array, dropped: Uint8Array): void {
    const dIn = saeIn.length / Math.max(1, dropped.length)
    if (this.sums.length === 0) this.sums = new Float64Array(dIn)
    dropped.forEach((isDropped, row) => {
      if (isDropped === 1) return
      this.tokens += 1
      for (let j = 0; j < dIn; j++) {
        const x = saeIn[row * dIn + j] ?? 0
        this.error += (x - (saeOut[row * dIn + j] ?? 0)) ** 2
        this.squares += x * x
        this.sums[j] = (this.sums[j] ?? 0) + x
      }
    })
  }

  /** 1 - sum ||x - xhat||^2 / (n / (n - 1) sum ||x - mean(x)||^2); null of fewer than {@link FEWEST_TOKENS} tokens, or of equal ones. */
  get explainedVariance(): number | null {
    const { tokens, error, squares, sums } = this
    if (tokens < FEWEST_TOKENS) return null
    const variance = squares - sums.reduce((sum, value) => sum + value * value, 0) / tokens
    return variance > 0 ? 1 - (error * (tokens - 1)) / (tokens * variance) : null
  }
}
