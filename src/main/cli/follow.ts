/** Follows runs and jobs to their end, with progress on stderr; Ctrl-C cancels them and waits for the last checkpoint. */
import type { Job, MetricPoint, Run } from '../../shared/domain'
import { AppError, fromFailure } from '../../shared/errors'
import type { Session } from './session'
import { clockTime, TimeLeft } from './time-left'

const figure = (value: number | null | undefined, digits: number): string =>
  value == null ? '-' : value.toFixed(digits)

/** As part of a line of progress; nothing until it can be told, and nothing at the end. */
const leftOf = ({ out }: Session, seconds: number | null): string =>
  seconds === null || seconds <= 0 ? '' : out.say('timeLeft', { time: clockTime(seconds) })

/** Calls `cancel` at Ctrl-C while `work` goes on. A job that is over by then needs none. */
async function cancelling<T>({ signal, out }: Session, cancel: () => Promise<unknown>, work: Promise<T>): Promise<T> {
  const onAbort = () => {
    out.note(out.say('stopping'))
    cancel().catch(() => undefined)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    return await work
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * Waits until a run has ended, in whatever way it was asked to.
 * @throws AppError the failure of the run
 */
export async function followRun(session: Session, runId: number): Promise<Run> {
  const { client, out } = session
  let last: MetricPoint | undefined
  let explainedVariance: number | null = null
  const remaining = new TimeLeft()
  const line = (run: Run): string => {
    const { name, step, steps, tokensPerSecond } = run
    const left = leftOf(session, remaining.secondsOf(step, steps))
    const figures = { loss: figure(last?.loss, 2), l0: figure(last?.l0, 1), ev: figure(explainedVariance, 3) }
    return out.say('training', { name, step, steps, speed: figure(tokensPerSecond, 0), left, ...figures })
  }
  const watching = new Promise<Run>((resolve, reject) => {
    let latest: Run | undefined
    client.feed(
      'runs.watch',
      { runId },
      ({ run, points }) => {
        latest = run
        last = points.at(-1) ?? last
        explainedVariance =
          points.findLast((point) => point.explainedVariance !== null)?.explainedVariance ?? explainedVariance
        if (run.state === 'running') out.progress(line(run), run.step / run.steps)
      },
      (error) => (latest && !error ? resolve(latest) : reject(error ?? new AppError('connection-lost'))),
    )
  })
  const run = await cancelling(session, () => client.call('runs.cancel', { runId }), watching)
  out.progress(line(run), run.step / run.steps, true)
  if (run.state === 'failed' && run.failure) throw fromFailure(run.failure)
  return run
}

/** What a job is called while it goes on. */
const WORK = {
  train: 'trainingWork',
  atlas: 'atlas',
  collect: 'collecting',
  evaluate: 'evaluating',
  map: 'mapping',
  neurons: 'comparing',
} as const

/**
 * Waits until a job has ended.
 * @throws AppError the failure of the job
 */
export async function followJob(session: Session, jobId: number): Promise<Job> {
  const { client, out } = session
  const remaining = new TimeLeft()
  const line = ({ kind, title, done, total }: Job) => {
    const left = leftOf(session, remaining.secondsOf(done, total))
    return out.say('working', { what: out.say(WORK[kind]), name: title, done, total, left })
  }
  const watching = new Promise<Job>((resolve, reject) => {
    let latest: Job | undefined
    client.feed(
      'jobs.watch',
      { jobId },
      (job) => {
        latest = job
        if (job.state === 'running') out.progress(line(job), job.done / job.total)
      },
      (error) => (latest && !error ? resolve(latest) : reject(error ?? new AppError('connection-lost'))),
    )
  })
  const job = await cancelling(session, () => client.call('jobs.cancel', { jobId }), watching)
  out.progress(line(job), job.done / job.total, true)
  if (job.state === 'failed' && job.failure) throw fromFailure(job.failure)
  return job
}

/** The atlas job that was queued right after a run, or null. */
export async function atlasJobOf({ client }: Session, runId: number): Promise<Job | null> {
  const jobs = await client.call('jobs.list', {})
  return jobs.find((job) => job.kind === 'atlas' && job.runId === runId) ?? null
}
