/** Answers about training runs, atlases and jobs. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { runs } from '../../shared/contract/runs'
import { hasEnded, type Forecast, type Job, type Run, type TrainConfig } from '../../shared/domain'
import type { HandlersOf } from '../../shared/wire'
import { AppError } from '../../shared/errors'
import { withResume } from '../jobs/checkpoints'
import type { StoredRun } from '../store/runs'
import { requireUnchanged } from './changed-files'
import type { Services } from './services'

const POINTS_AT_ONCE = 5000

/** A run with what its folder says. */
const complete = (run: StoredRun, { paths }: Pick<Services, 'paths'>): Run => withResume(run, paths.run(run.id))

/** What a training would take, as the warm worker measures it. */
function forecastOf(
  { store, warm, paths }: Pick<Services, 'store' | 'warm' | 'paths'>,
  config: TrainConfig,
  signal: AbortSignal,
): Promise<Forecast> {
  const { modelId, datasetId, activationsId } = config
  const model = store.models.get(modelId)
  const dataset = store.datasets.get(datasetId)
  const tokens = dataset.tokenCounts.find((count) => count.modelId === modelId)?.tokens ?? null
  if (activationsId !== null) store.activations.requireFor(config)
  const set = activationsId === null ? null : store.activations.get(activationsId)
  const activations = set && { tokens: set.storedTokens, dIn: set.dIn }
  const ask = { config, model, dataset: { ...dataset, tokens }, activations, folder: paths.folder }
  return warm.ask('forecastRun', ask, signal)
}

/** The last forecast and what it was made for; parsed configs have their keys in one order. */
class LastForecast {
  private held: { config: string; forecast: Forecast } | null = null

  keep(config: TrainConfig, forecast: Forecast): Forecast {
    this.held = { config: JSON.stringify(config), forecast }
    return forecast
  }

  of(config: TrainConfig): Forecast | null {
    return this.held?.config === JSON.stringify(config) ? this.held.forecast : null
  }
}

type Measuring = { kind: 'atlas' | 'evaluate'; saeId: number; datasetId: number }

/** @throws AppError files-changed, not-found */
async function measure(services: Services, { kind, saeId, datasetId }: Measuring, signal: AbortSignal): Promise<Job> {
  const { store, queue } = services
  await requireUnchanged(services, { sae: store.saes.get(saeId), dataset: store.datasets.get(datasetId) }, signal)
  return queue.startMeasuring(kind, { saeId, datasetId })
}

export const runHandlers = (services: Services, last = new LastForecast()) => {
  const { store, queue, warm, changes, paths } = services
  return {
    'runs.list': async () => store.runs.list().map((run) => complete(run, { paths })),
    'runs.get': async ({ runId }) => complete(store.runs.get(runId), { paths }),
    'runs.forecast': async ({ config }, signal) =>
      last.keep(config, await forecastOf({ store, warm, paths }, config, signal)),
    'runs.start': async ({ name, config, atlas }) => {
      const run = queue.startTraining(name, config, atlas)
      const forecast = last.of(config)
      if (forecast) store.runs.setForecast(run.id, forecast)
      return complete({ ...run, forecast }, { paths })
    },
    'runs.resume': async ({ runId }) => complete(queue.resumeTraining(runId), { paths }),
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
          const run = complete(store.runs.get(runId), { paths })
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
    'atlas.start': async (ask, signal) => measure(services, { kind: 'atlas', ...ask }, signal),
    'evaluations.start': async (ask, signal) => measure(services, { kind: 'evaluate', ...ask }, signal),
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
  } satisfies HandlersOf<typeof runs>
}
