/** Search by prompt combinations. */
import { z } from 'zod'
import { Id, Prompt, SearchHit, TokenSpan } from '../domain'
import { took } from '../took'
import { call } from '../wire'

export const PromptSearchResult = z.object({
  hits: z.array(SearchHit),
  /** Features that pass, before the cap on `hits`. */
  matching: z.int(),
  /** The prompts as the model read them. `value` of a span is 0. */
  prompts: z.array(z.array(TokenSpan)),
  ...took,
})
export type PromptSearchResult = z.infer<typeof PromptSearchResult>

export const search = {
  /** Features above zero at the last token of every positive prompt and of no negative one, best score first. */
  'search.prompts': call(
    z.object({
      saeId: Id,
      prompts: z
        .array(Prompt)
        .min(1)
        .max(20)
        .refine((prompts) => prompts.some((p) => p.sign === 'positive'), 'at least one positive prompt is needed'),
      /** Leave out features denser than this share of tokens. */
      maxDensity: z.number().min(0).max(1).default(1),
      limit: z.int().min(1).max(500).default(100),
    }),
    PromptSearchResult,
  ),
}
