/** Turns a dictionary trained on scaled inputs into one that acts on raw activations with unit decoder rows. */
import type { SaeWeights } from './architecture'

/** SAELens clamps row norms here when folding. */
const SMALLEST_NORM = 1e-8

/** The weight of that name. */
export function weightOf(weights: SaeWeights, name: string): { shape: number[]; data: Float32Array } {
  const weight = weights[name]
  if (!weight) throw new Error(`weight ${name} is missing`)
  return weight
}

/** ||W_dec[i]|| of every row, [dSae], float64. */
export function decoderNorms(weights: SaeWeights): Float64Array {
  const { shape, data } = weightOf(weights, 'wDec')
  const [dSae = 0, dIn = 0] = shape
  const norms = new Float64Array(dSae)
  for (let i = 0; i < dSae; i++) {
    let squares = 0
    for (let j = 0; j < dIn; j++) squares += (data[i * dIn + j] ?? 0) ** 2
    norms[i] = Math.sqrt(squares)
  }
  return norms
}

/**
 * First the scale s (x = s x_raw): W_enc *= s, W_dec /= s, b_dec /= s. Then the norms m_i of the new rows: W_dec /= m, W_enc and
 * what is compared with or added to x W_enc, `withNorms` [dSae each], *= m. Other weights stay.
 * With n_i the norm of the trained row, m_i = n_i / s, so a folded feature is f_i n_i / s: the length, in raw units, of what the
 * feature adds. Products are taken in float64 and rounded once.
 * @param norms n_i where they are known without measuring
 */
export function foldWeights(
  weights: SaeWeights,
  {
    scale,
    withNorms,
    norms = decoderNorms(weights),
  }: { scale: number; withNorms: readonly string[]; norms?: Float64Array },
): SaeWeights {
  const [wEnc, wDec, bDec] = [weightOf(weights, 'wEnc'), weightOf(weights, 'wDec'), weightOf(weights, 'bDec')]
  const [dSae = 0, dIn = 0] = wDec.shape
  const lengths = norms.map((norm) => Math.max(norm / scale, SMALLEST_NORM))
  const lengthOf = (i: number) => lengths[i] ?? 1
  const folded: SaeWeights = {
    ...weights,
    wEnc: { shape: wEnc.shape, data: wEnc.data.map((w, at) => w * scale * lengthOf(at % dSae)) },
    wDec: { shape: wDec.shape, data: wDec.data.map((w, at) => w / scale / lengthOf(Math.floor(at / dIn))) },
    bDec: { shape: bDec.shape, data: bDec.data.map((b) => b / scale) },
  }
  for (const name of withNorms) {
    const { shape, data } = weightOf(weights, name)
    folded[name] = { shape, data: data.map((b, i) => b * lengthOf(i)) }
  }
  return folded
}
