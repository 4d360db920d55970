/**
 * Gives dead features a new start, as in "Towards Monosemanticity": each takes the direction of an input that is reconstructed badly
 * (drawn with probability proportional to its squared loss), its encoder a fifth as long as those of living features, its bias zero,
 * and Adam forgets what it knew of it.
 */
import type { SaeShape } from '../sae/architecture'
import { dataOf } from './weights'
import type { Random } from './random'
import type { RouteState } from './route'

const ENCODER_SHARE = 0.2
/** Shares of the run at which dead features are looked for; none late, so that what is new can still be learnt. */
const RESAMPLE_AT = [0.125, 0.25, 0.375, 0.5]

export const isResampleStep = (step: number, steps: number): boolean =>
  RESAMPLE_AT.some((share) => Math.round(share * steps) === step)

/** Index drawn with probability proportional to `weights`. */
function draw(weights: Float64Array, random: Random): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = random.uniform() * total
  const found = weights.findIndex((weight) => (left -= weight) < 0)
  return found === -1 ? weights.length - 1 : found
}

/** Mean norm of the living rows of W_dec [dSae, dIn] and columns of W_enc [dIn, dSae]. */
function livingNorms({ parameters }: RouteState, { dIn, dSae }: SaeShape, dead: Uint8Array) {
  const [wEnc, wDec] = [dataOf(parameters, 'wEnc'), dataOf(parameters, 'wDec')]
  let [encoder, decoder, living] = [0, 0, 0]
  for (let i = 0; i < dSae; i++) {
    if (dead[i]) continue
    let [enc, dec] = [0, 0]
    for (let j = 0; j < dIn; j++) {
      enc += (wEnc[j * dSae + i] ?? 0) ** 2
      dec += (wDec[i * dIn + j] ?? 0) ** 2
    }
    encoder += Math.sqrt(enc)
    decoder += Math.sqrt(dec)
    living += 1
  }
  return living === 0 ? null : { encoder: encoder / living, decoder: decoder / living }
}

/**
 * Changes `state` in place.
 * @param batch inputs [rows, dIn] and their losses [rows], ||x - xhat||^2
 * @param dead [dSae] 1 where a feature is to start again
 */
export function resample(
  state: RouteState,
  shape: SaeShape,
  { vectors, losses }: { vectors: Float32Array; losses: Float64Array },
  { dead, random }: { dead: Uint8Array; random: Random },
): void {
  const norms = livingNorms(state, shape, dead)
  if (!norms) return
  const { dIn, dSae } = shape
  const { parameters, first, second } = state
  const weights = losses.map((loss) => loss * loss)
  const bDec = dataOf(parameters, 'bDec')
  const all = [parameters, first, second]
  for (let i = 0; i < dSae; i++) {
    if (!dead[i]) continue
    const row = draw(weights, random)
    const direction = Float64Array.from({ length: dIn }, (_, j) => (vectors[row * dIn + j] ?? 0) - (bDec[j] ?? 0))
    const norm = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0)) || 1
    for (const [at, held] of all.entries()) {
      for (let j = 0; j < dIn; j++) {
        const unit = at === 0 ? (direction[j] ?? 0) / norm : 0
        dataOf(held, 'wEnc')[j * dSae + i] = unit * ENCODER_SHARE * norms.encoder
        dataOf(held, 'wDec')[i * dIn + j] = unit * norms.decoder
      }
      for (const name of ['bEnc', 'bGate', 'bMag', 'rMag']) {
        const bias = held[name]
        if (bias) bias.data[i] = 0
      }
    }
  }
}
