/** Training runs, atlases and their jobs. */
import { z } from 'zod'
import { Forecast, Id, Job, MetricPoint, Run, Sae, TrainConfig } from '../domain'
import { call, feed } from '../wire'

/** What a watcher of a run gets: the run as it is now, and the points it has not seen. */
export const RunEvent = z.object({ run: Run, points: z.array(MetricPoint) })
export type RunEvent = z.infer<typeof RunEvent>

export const runs = {
  'runs.list': call(z.object({}), z.array(Run)),
  'runs.get': call(z.object({ runId: Id }), Run),
  /** Measures this machine for about two seconds and says what a run would take. Starts nothing. */
  'runs.forecast': call(z.object({ config: TrainConfig }), Forecast),
  /** Queues a training, with the last forecast when that was of the same config; with `atlas` the feature atlas of the result is built right after it on the same dataset. */
  'runs.start': call(
    z.object({ name: z.string().trim().min(1).max(200), config: TrainConfig, atlas: z.boolean().default(true) }),
    Run,
  ),
  /** Goes on with a run that was stopped, cut off or failed from its last checkpoint, as if it had never ended. */
  'runs.resume': call(z.object({ runId: Id }), Run),
  /** Stops a run and keeps what it has: a last checkpoint is written first. */
  'runs.cancel': call(z.object({ runId: Id }), z.null()),
  /** Deletes a run that is not running, with its files. */
  'runs.remove': call(z.object({ runId: Id }), z.null()),
  /** All points after `afterStep`, then live ones until the run has ended. */
  'runs.watch': feed(z.object({ runId: Id, afterStep: z.int().default(-1) }), RunEvent),
  /** Newest first. */
  'saes.list': call(z.object({}), z.array(Sae)),
  'atlas.start': call(z.object({ saeId: Id, datasetId: Id }), Job),
  /** Queues an evaluation with the whole model; its figures appear as `quality` of the autoencoder. */
  'evaluations.start': call(z.object({ saeId: Id, datasetId: Id }), Job),
  'jobs.list': call(z.object({}), z.array(Job)),
  'jobs.cancel': call(z.object({ jobId: Id }), z.null()),
  /** The job at once and at every change; ends when the job has ended. */
  'jobs.watch': feed(z.object({ jobId: Id }), Job),
}
