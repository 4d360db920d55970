/** Two features held against each other: where they are both read, and how far they go together. Part of the domain, see domain.ts. */
import { z } from 'zod'
import { TokenSpan } from './features'
import { took } from './took'
import type { FeatureDetail } from './features'

/** A stretch of a document that a corpus was read in windows for, and what comes before it in its window. */
export type Passage = {
  /** Which text it is of; equal documents of equal texts are the same. */
  corpus: number
  document: number
  /** Of the windows, BOS included. */
  contextSize: number
  /** Tokens of the document from `first` on, without BOS: at least from the beginning of the window that `from` lies in. */
  first: number
  ids: Int32Array
  /** Position of the stretch's first token; it ends with `ids`. */
  from: number
}

/** How two features go together on some tokens; each token counts once. */
export const Together = z.object({
  tokens: z.int(),
  /** Tokens on which each is above zero, and those on which both are. */
  firedOne: z.int(),
  firedOther: z.int(),
  firedBoth: z.int(),
  /** Pearson's; null where one of them is the same on every token. */
  correlation: z.number().nullable(),
})
export type Together = z.infer<typeof Together>

/** What the other one of two features does on a context of a feature. */
export const Counterpart = z.object({
  documentIndex: z.int(),
  position: z.int(),
  /** Its activation at that token. */
  value: z.number(),
  /** The spans of the context with its activations. */
  spans: z.array(TokenSpan),
})
export type Counterpart = z.infer<typeof Counterpart>

export const Comparison = Together.extend({
  /** Between the decoder rows; null where one points nowhere or they write into different spaces. */
  cosine: z.number().nullable(),
  /** Whether both write into the same space: the same hook point, or the residual stream. */
  isSameSpace: z.boolean(),
  /** For the strongest contexts of each, in their order; the first few of those that the feature has. */
  one: z.array(Counterpart),
  other: z.array(Counterpart),
  ...took,
})
export type Comparison = z.infer<typeof Comparison>

/**
 * Of the tokens on which a feature fires, sampled for its atlas, the share on which another one is active too; null where that was not kept, as
 * of features of another autoencoder.
 */
export function sampledShare(feature: FeatureDetail, other: { saeId: number; featureIndex: number }): number | null {
  if (feature.saeId !== other.saeId) return null
  const found = feature.together.features.find(({ featureIndex }) => featureIndex === other.featureIndex)
  return found?.share ?? null
}
