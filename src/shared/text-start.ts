/** What stands before every text that a model reads. */
import { z } from 'zod'

/**
 * - `own`: what the model's own tokenizer puts there, which may be nothing;
 * - `bos`: that token, or the one that the model's files name as `bos_token` though the tokenizer does not add it;
 * - `none`: nothing.
 */
export const TextStart = z.enum(['own', 'bos', 'none'])
export type TextStart = z.infer<typeof TextStart>

/** The tokens of `own` and `bos`, as text; null where there is none. */
export const StartTokens = z.object({ own: z.string().nullable(), bos: z.string().nullable() })
export type StartTokens = z.infer<typeof StartTokens>

/** One of what `own` and `bos` name; null for none. */
export const startOf = <T>({ own, bos }: { own: T | null; bos: T | null }, start: TextStart): T | null =>
  start === 'none' ? null : start === 'own' ? own : bos
