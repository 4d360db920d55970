/** Which features of a text come first, and when a text lies outside of what an autoencoder has learned; both in docs/metrics.md. */

/**
 * Activation as a share of the feature's maximum, times ln(1 / density): what is strong and rare goes first, as in tf-idf (Spärck Jones
 * 1972). 0 where the atlas has not seen the feature.
 */
export const rankOf = (
  value: number,
  { maxActivation, density }: { maxActivation: number; density: number },
): number => (maxActivation > 0 && density > 0 ? (value / maxActivation) * Math.max(0, -Math.log(density)) : 0)

/** A text is outside from this ratio of unexplained variance on. */
const OUTSIDE_RATIO = 2

/** Whether much more of a text's variance is left unexplained than of the text that the autoencoder was judged on; null is unknown. */
export const isOutside = (explainedVariance: number | null, heldOut: number | null): boolean =>
  explainedVariance !== null && heldOut !== null && 1 - explainedVariance > OUTSIDE_RATIO * (1 - heldOut)
