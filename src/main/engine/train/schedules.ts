/** How the penalty and the learning rate move over a run (Anthropic's April 2024 recipe). */

const WARM_UP_SHARE = 0.05
const DECAY_SHARE = 0.2

/** Share of the full sparsity penalty at a step: linear from 0 to 1 over the first 5 % of the steps. Steps count from 0. */
export function warmUpAt(step: number, steps: number): number {
  return Math.min(1, step / Math.max(1, WARM_UP_SHARE * steps))
}

/** Learning rate at a step: constant, then linearly towards 0 over the last 20 %; the last step still moves. */
export function learningRateAt(step: number, steps: number, full: number): number {
  return full * Math.min(1, (steps - step) / Math.max(1, DECAY_SHARE * steps))
}

/**
 * Whether this step makes a point of the curves: every 1/300 of the run, the first, the last, and each step that evaluates. The two
 * grids rarely meet, so an evaluation that waited for a point of the other one would hardly ever be made.
 */
export function isReportStep(step: number, steps: number): boolean {
  return step % reportInterval(steps) === 0 || isEvaluationStep(step, steps)
}

/** Points of the curves, at most: those of both grids, or one for every step and one after the last. */
export function mostPoints(steps: number): number {
  return Math.min(steps + 1, 1 + Math.floor(steps / reportInterval(steps)) + evaluationCount(steps))
}

const reportInterval = (steps: number): number => Math.max(1, Math.floor(steps / 300))

/** Whether to look at the held-out documents after this many steps: every 2 %, at the start and at the end. */
export function isEvaluationStep(step: number, steps: number): boolean {
  return step % evaluationInterval(steps) === 0 || step === steps
}

/** Evaluations along a run of `steps` updates, the first point and the last included. */
export function evaluationCount(steps: number): number {
  return 1 + Math.ceil(steps / evaluationInterval(steps))
}

const evaluationInterval = (steps: number): number => Math.max(1, Math.round(steps / 50))
