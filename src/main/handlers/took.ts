/** How long an answer of the warm worker took. */
import type { Took } from '../../shared/took'

/** @param startedAt by performance.now() @param seconds of the reading itself, as the worker says */
export const tookSince = (startedAt: number, seconds: number): Took => ({
  seconds,
  readySeconds: Math.max(0, (performance.now() - startedAt) / 1000 - seconds),
})
