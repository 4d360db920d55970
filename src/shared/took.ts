/** How long an answer took, with the waiting told apart from the reading. */
import { z } from 'zod'

export const took = {
  /** Of the reading itself. */
  seconds: z.number(),
  /** Before it: starting a worker, loading the model, and questions that came earlier. */
  readySeconds: z.number(),
}
export type Took = { seconds: number; readySeconds: number }

/** Waiting that is worth a word, in seconds. */
export const LONG_READY_SECONDS = 0.5
