/** What a SAELens folder may ask a reader to do to inputs and activations, moved into the weights; sums and products are float64. */

/** Names of ours to weights. */
export type SaelensWeights = Record<string, { shape: number[]; data: Float32Array }>

type Size = { dIn: number; dSae: number }

function weightOf(weights: SaelensWeights, name: string): { shape: number[]; data: Float32Array } {
  const weight = weights[name]
  if (!weight) throw new Error(`weight ${name} is missing`)
  return weight
}

/**
 * (x - b_dec) W_enc = x W_enc - b_dec W_enc: the shift moves into what is added to that product. It is b_enc; of gated it is b_gate,
 * and b_mag, in front of which the product is multiplied by exp(r_mag).
 */
export function foldInputShift(weights: SaelensWeights, { dIn, dSae }: Size): void {
  const [wEnc, bDec] = [weightOf(weights, 'wEnc'), weightOf(weights, 'bDec')]
  const shift = new Float64Array(dSae)
  for (let j = 0; j < dIn; j++) {
    const b = bDec.data[j] ?? 0
    for (let i = 0; i < dSae; i++) shift[i] = (shift[i] ?? 0) + b * (wEnc.data[j * dSae + i] ?? 0)
  }
  const { rMag } = weights
  for (const name of rMag ? ['bGate', 'bMag'] : ['bEnc']) {
    const { shape, data } = weightOf(weights, name)
    const growth = (i: number) => (rMag && name === 'bMag' ? Math.exp(rMag.data[i] ?? 0) : 1)
    weights[name] = { shape, data: data.map((b, i) => b - (shift[i] ?? 0) * growth(i)) }
  }
}

/**
 * A topk that chooses by pre_i ||W_dec[i]||, gives that as the activation and divides by the norm again when it decodes: the same
 * numbers come from an encoder multiplied by the norms and decoder rows divided by them.
 */
export function foldRescaling(weights: SaelensWeights, { dIn, dSae }: Size): void {
  const [wEnc, bEnc, wDec] = [weightOf(weights, 'wEnc'), weightOf(weights, 'bEnc'), weightOf(weights, 'wDec')]
  const norms = Float64Array.from({ length: dSae }, (_, i) => {
    let squares = 0
    for (let j = i * dIn; j < (i + 1) * dIn; j++) squares += (wDec.data[j] ?? 0) ** 2
    return Math.sqrt(squares)
  })
  const normOf = (i: number) => norms[i] ?? 1
  weights.wEnc = { shape: wEnc.shape, data: wEnc.data.map((w, at) => w * normOf(at % dSae)) }
  weights.bEnc = { shape: bEnc.shape, data: bEnc.data.map((b, i) => b * normOf(i)) }
  // A row of zeros adds nothing whatever its activation.
  weights.wDec = { shape: wDec.shape, data: wDec.data.map((w, at) => w / (normOf(Math.floor(at / dIn)) || 1)) }
}
