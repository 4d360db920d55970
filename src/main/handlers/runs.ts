/** Answers about training runs, atlases and jobs. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { runs } from '../../shared/contract/runs'
import type { HandlersOf } from '../../shared/wire'
import { AppError } from '../../shared/errors'
import { hasEnded } from '../store/jobs'
import type { Services } from './services'

const POINTS_AT_ONCE = 5000

export const runHandlers = ({ store, queue, changes }: Services) =>
  ({
    'runs.list': async () => store.runs.list(),
    'runs.get': async ({ runId }) => store.runs.get(runId),
    'runs.start': async ({ name, config, atlas }) => queue.startTraining(name, config, atlas),
    'runs.cancel': async ({ runId }) => {
      const { jobId } = store.runs.get(runId)
      if (jobId === null) throw new AppError('job-not-running', { id: runId })
      queue.cancel(jobId)
      return null
    },
    'runs.remove': async ({ runId }) => {
      await queue.removeRun(runId)
      return null
    },
    // Always read from the store after the last step that was sent: nothing is lost between replay and live, nothing is doubled.
    async *'runs.watch'({ runId, afterStep }, signal) {
      let last = afterStep
      let sent = ''
      // eslint-disable-next-line @typescript-eslint/no-unused-vars -- only that something changed matters
      for await (const _ of changes.until(signal)) {
        for (let isMore = true; isMore;) {
          const run = store.runs.get(runId)
          const points = store.metrics.after(runId, last, POINTS_AT_ONCE)
          last = points.at(-1)?.step ?? last
          isMore = points.length === POINTS_AT_ONCE
          const seen = JSON.stringify(run)
          if (points.length > 0 || seen !== sent) yield { run, points }
          sent = seen
          if (!isMore && hasEnded(run.state)) return
        }
      }
    },
    'saes.list': async () => store.saes.list(),
    'atlas.start': async ({ saeId, datasetId }) => queue.startAtlas(saeId, datasetId),
    'jobs.list': async () => store.jobs.list(),
    'jobs.cancel': async ({ jobId }) => {
      queue.cancel(jobId)
      return null
    },
    async *'jobs.watch'({ jobId }, signal) {
      let sent = ''
      // eslint-disable-next-line @typescript-eslint/no-unused-vars -- only that something changed matters
      for await (const _ of changes.until(signal)) {
        const job = store.jobs.get(jobId)
        const seen = JSON.stringify(job)
        if (seen !== sent) yield job
        sent = seen
        if (hasEnded(job.state)) return
      }
    },
  }) satisfies HandlersOf<typeof runs>
