/** Sets of activations on disk: how large one would be, and collecting, listing, removing them. */
import { z } from 'zod'
import { ActivationSet, Id } from '../domain'
import { call } from '../wire'

const hookNames = z.array(z.string().min(1).max(100)).min(1).max(200)

const wanted = {
  modelId: Id,
  datasetId: Id,
  hookNames,
  /** Text tokens to train on; some to judge by come on top. */
  tokens: z
    .int()
    .min(16)
    .max(2 ** 28),
  contextSize: z.int().min(8).max(4096),
}

/** What a set would hold at each hook point, held-out tokens included, what it would take on disk, and what there is. */
export const ActivationQuote = z.object({ tokens: z.int(), bytes: z.int(), freeBytes: z.int() })
export type ActivationQuote = z.infer<typeof ActivationQuote>

export const activations = {
  /** Newest first. */
  'activations.list': call(z.object({}), z.array(ActivationSet)),
  /** Counts the tokens of the dataset when that was not done before. */
  'activations.quote': call(z.object(wanted), ActivationQuote),
  /**
   * Queues the collection of a set. Asked for again in the same words, it goes on with the set that is there: finished shards are
   * kept, a complete set is returned as it is.
   */
  'activations.start': call(
    z.object({
      ...wanted,
      name: z.string().trim().min(1).max(200).optional(),
      seed: z
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(0),
    }),
    ActivationSet,
  ),
  /** Deletes a set with its files; refused while its job or a run that is not done needs it. */
  'activations.remove': call(z.object({ activationsId: Id }), z.null()),
}
