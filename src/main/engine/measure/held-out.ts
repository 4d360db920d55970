/** How well a dictionary reconstructs vectors it was not trained on. */
import type { Architecture, EncodeSettings, NamedTensors } from '../sae/architecture'
import { tf } from '../tf'

/** Rows encoded at once; fixed, so that the figures do not depend on how many there are. */
export const BLOCK_ROWS = 2048

/** Held-out vectors in normalised units and their spread around the mean. */
export type HeldOut = {
  /** [tokens, dIn] */
  vectors: Float32Array
  dIn: number
  tokens: number
}

export type HeldOutFigures = {
  /** 1 - sum ||x - xhat||^2 / sum ||x - mean(x)||^2. */
  explainedVariance: number
  l0: number
  /** mean_b ||x - xhat||^2. */
  mse: number
  tokens: number
}

/** sum ||x - mean(x)||^2 over the first `tokens` rows, in float64. */
export function spread(vectors: Float32Array, dIn: number, tokens: number): number {
  const mean = new Float64Array(dIn)
  for (let t = 0; t < tokens; t++) for (let j = 0; j < dIn; j++) mean[j] = (mean[j] ?? 0) + (vectors[t * dIn + j] ?? 0)
  for (let j = 0; j < dIn; j++) mean[j] = (mean[j] ?? 0) / tokens
  let sum = 0
  for (let t = 0; t < tokens; t++)
    for (let j = 0; j < dIn; j++) sum += ((vectors[t * dIn + j] ?? 0) - (mean[j] ?? 0)) ** 2
  return sum
}

/** Judges parameters on held-out rows, the first `limit` of them. Sums over rows and blocks are float64. */
export class HeldOutJudge {
  private readonly spreads = new Map<number, number>()

  constructor(private readonly heldOut: HeldOut) {}

  judge(
    architecture: Architecture,
    parameters: NamedTensors,
    settings: EncodeSettings,
    limit = this.heldOut.tokens,
  ): HeldOutFigures {
    const { vectors, dIn } = this.heldOut
    const tokens = Math.min(limit, this.heldOut.tokens)
    let errors = 0
    let active = 0
    for (let at = 0; at < tokens; at += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, tokens - at)
      const sums = tf.tidy(() => {
        const saeIn = tf.tensor2d(vectors.subarray(at * dIn, (at + rows) * dIn), [rows, dIn])
        const featureActs = architecture.encode(parameters, saeIn, settings)
        const saeError = tf.sub(architecture.decode(parameters, featureActs), saeIn)
        return { errors: tf.sum(tf.square(saeError), 1), active: tf.sum(tf.step(featureActs)) }
      })
      for (const error of sums.errors.dataSync()) errors += error
      active += sums.active.dataSync()[0] ?? 0
      tf.dispose(sums)
    }
    return {
      explainedVariance: 1 - errors / this.spreadOf(tokens),
      l0: active / tokens,
      mse: errors / tokens,
      tokens,
    }
  }

  /** Share of the held-out tokens that each feature fires on [dSae]. */
  firingShare(
    architecture: Architecture,
    parameters: NamedTensors,
    settings: EncodeSettings,
    dSae: number,
  ): Float64Array {
    const { vectors, dIn, tokens } = this.heldOut
    const counts = new Float64Array(dSae)
    for (let at = 0; at < tokens; at += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, tokens - at)
      const fired = tf.tidy(() => {
        const saeIn = tf.tensor2d(vectors.subarray(at * dIn, (at + rows) * dIn), [rows, dIn])
        return tf.matMul(tf.ones([1, rows]), tf.step(architecture.encode(parameters, saeIn, settings)))
      })
      fired.dataSync().forEach((count, i) => (counts[i] = (counts[i] ?? 0) + count))
      fired.dispose()
    }
    return counts.map((count) => count / tokens)
  }

  private spreadOf(tokens: number): number {
    const known = this.spreads.get(tokens)
    if (known !== undefined) return known
    const found = spread(this.heldOut.vectors, this.heldOut.dIn, tokens)
    this.spreads.set(tokens, found)
    return found
  }
}
