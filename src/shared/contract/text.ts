/** One's own text, read by the model and the autoencoder of the moment. */
import { z } from 'zod'
import { Float32, Id, Tag, TokenSpan } from '../domain'
import { took } from '../took'
import { call } from '../wire'
import { feature } from './features'

/** Longest text, in characters. */
export const LONGEST_TEXT = 20_000

const own = { saeId: Id, text: z.string().min(1).max(LONGEST_TEXT) }
/** Attention sinks are left out, as in an atlas. */
const reading = { tokens: z.int(), sinkTokens: z.int(), ...took }

/** A feature that is active somewhere in a text. */
export const TextFeature = z.object({
  featureIndex: z.int(),
  label: z.string().nullable(),
  tags: z.array(Tag),
  topToken: z.string().nullable(),
  /** In the atlas: share of tokens, and largest activation. */
  density: z.number(),
  maxActivation: z.number(),
  /** In this text. */
  firedTokens: z.int(),
  largest: z.number(),
})
export type TextFeature = z.infer<typeof TextFeature>

export const text = {
  /** One feature on every token of a text: `value` of the spans. */
  'text.feature': call(z.object({ ...feature, ...own }), z.object({ spans: z.array(TokenSpan), ...reading })),
  /** Every active feature on every token of a text; those of span s are entries [starts[s], starts[s + 1]). */
  'text.features': call(
    z.object(own),
    z.object({
      /** Without values. */
      spans: z.array(TokenSpan),
      starts: z.instanceof(Int32Array),
      /** Positions in `features`. */
      active: z.instanceof(Int32Array),
      values: Float32,
      /** The strong and rare first, by the rule in docs/metrics.md. */
      features: z.array(TextFeature),
      /**
       * Explained variance of this text, null of a few tokens, and of text that the autoencoder was judged on without having been trained on
       * it, null where nobody did.
       */
      fit: z.object({ explainedVariance: z.number().nullable(), heldOut: z.number().nullable() }),
      ...reading,
    }),
  ),
}
