/** How much text is kept apart to judge a dictionary by, and what that makes of a dataset. */
import { z } from 'zod'

export const HELD_OUT_SHARE = 0.05

/**
 * How documents are picked: 1 by a hash of seed and place in the dataset, so that copies of one text could fall on both sides; 2 by a hash of
 * seed and text, so that copies stay together and other orders of the same documents hold out the same ones. Kept with what was made, and
 * that is judged by the rule that it was made by.
 */
export const HeldOutRule = z.union([z.literal(1), z.literal(2)])
export type HeldOutRule = z.infer<typeof HeldOutRule>
export const HELD_OUT_RULE: HeldOutRule = 2
/** Held-out tokens that an evaluation looks at, at most. */
export const HELD_OUT_TOKENS = 40_000
/** Held-out tokens behind every point of a run's curves, the last one included; the result of the run takes all of them. */
export const CURVE_TOKENS = 8192

/** Held-out tokens that go with so many to train on, at least. */
export const heldOutTokensFor = (tokens: number): number => Math.min(HELD_OUT_TOKENS, HELD_OUT_SHARE * tokens)

/**
 * What a set of activations will hold of a dataset.
 * @param tokens asked for, to train on
 * @param available text tokens of the dataset; exact where the dataset is larger than needed or used up whole
 */
export function plannedTokens(tokens: number, available: number): { training: number; heldOut: number } {
  const training = Math.min(tokens, Math.round((1 - HELD_OUT_SHARE) * available))
  const isShort = training < tokens
  const heldOut = isShort ? Math.min(HELD_OUT_TOKENS, available - training) : Math.ceil(heldOutTokensFor(tokens))
  return { training, heldOut: Math.min(heldOut, available - training) }
}
