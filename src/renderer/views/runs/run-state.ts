/** What the state of a run means for the page: how long it still takes, what a new message changes. */
import type { Job, Run } from '../../../shared/domain'

/** Seconds until a run ends at its present speed; null while the speed is unknown. */
export function secondsLeft(run: Run): number | null {
  if (run.state !== 'running' || !run.tokensPerSecond) return null
  return ((run.steps - run.step) * run.config.batchTokens) / run.tokensPerSecond
}

/**
 * Runs with the progress of their jobs. `isStale` says that a run is new or has changed its state, so that the list must be
 * read again: a job says nothing of an autoencoder that came with it.
 */
export function withJobs(runs: readonly Run[], jobs: readonly Job[]): { runs: Run[]; isStale: boolean } {
  const jobOf = (run: Run) => jobs.find((job) => job.id === run.jobId)
  // A run that goes on has a later job than the one it is known with.
  const isKnown = ({ id, runId }: Job) => runs.some((run) => run.id === runId && (run.jobId ?? 0) >= id)
  const isNew = (job: Job) => job.kind === 'train' && job.runId !== null && !isKnown(job)
  return {
    runs: runs.map((run) => {
      const job = jobOf(run)
      return job ? { ...run, state: job.state, step: job.done, tokensPerSecond: job.tokensPerSecond } : run
    }),
    isStale: jobs.some(isNew) || runs.some((run) => (jobOf(run)?.state ?? run.state) !== run.state),
  }
}
