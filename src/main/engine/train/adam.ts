/** Adam on plain arrays: the readable twin of the kernel that updates everything in one pass. */

export const BETA1 = 0.9
export const BETA2 = 0.999
/** Outside the square root; some libraries default to 1e-7. */
export const EPSILON = 1e-8

/** The numbers of one update that do not depend on the parameter. */
export type AdamFactors = {
  /** Multiplies the gradient: what clipping leaves of it. */
  scale: number
  /** Learning rate over the bias correction of the first moment. */
  rate: number
  /** One over the bias correction of the second moment. */
  correction: number
}

/** @param update number of this update, from 1 */
export function adamFactors(learningRate: number, update: number, scale: number): AdamFactors {
  return { scale, rate: learningRate / (1 - BETA1 ** update), correction: 1 / (1 - BETA2 ** update) }
}

/**
 * One update in place, as in Kingma and Ba (2015), bias-corrected, no weight decay:
 *   m = b1 m + (1 - b1) g    v = b2 v + (1 - b2) g^2    p -= rate m / (sqrt(v correction) + eps)
 */
export function adamUpdate(
  moved: { parameter: Float32Array; first: Float32Array; second: Float32Array },
  gradient: Float32Array,
  { scale, rate, correction }: AdamFactors,
): void {
  const { parameter, first, second } = moved
  for (let i = 0; i < parameter.length; i++) {
    const g = (gradient[i] ?? 0) * scale
    const m = BETA1 * (first[i] ?? 0) + (1 - BETA1) * g
    const v = BETA2 * (second[i] ?? 0) + (1 - BETA2) * g * g
    first[i] = m
    second[i] = v
    parameter[i] = (parameter[i] ?? 0) - (rate * m) / (Math.sqrt(v * correction) + EPSILON)
  }
}

/** What to multiply a gradient of that norm with so that it is at most `clipNorm` long. */
export function clipScale(norm: number, clipNorm: number | null): number {
  return clipNorm !== null && norm > clipNorm ? clipNorm / norm : 1
}
