/** Follows a run or an atlas to its end, showing progress; Ctrl-C stops it and keeps what it has. */
import type { Job, MetricPoint, Run, Sae } from '../../shared/domain'
import { AppError, fromFailure } from '../../shared/errors'
import type { Session } from './session'

const hasEnded = (state: Job['state']): boolean => ['done', 'failed', 'cancelled', 'interrupted'].includes(state)

const rateText = (tokensPerSecond: number | null): string => Math.round(tokensPerSecond ?? 0).toLocaleString('en-US')

/** Stops with the job's own error; a cancelled job is an error for whoever waited for its result. */
function requireDone(state: Job['state'], failure: Job['failure']): void {
  if (failure) throw fromFailure(failure)
  if (state !== 'done') throw new AppError('cancelled')
}

/** Opens a feed and resolves at its end; `onNext` sees every value. */
function whole<T>(
  open: (onNext: (value: T) => void, onEnd: (error?: AppError) => void) => () => void,
  onNext: (value: T) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    open(onNext, (error) => (error ? reject(error) : resolve()))
  })
}

/**
 * Waits for a training and shows its curves as lines.
 * @returns the run as it ended
 * @throws the run's own error, or `cancelled`
 */
export async function followRun(session: Session, runId: number): Promise<Run> {
  const { client, out, words, signal } = session
  const stop = () => {
    out.note(words('stopping'))
    client.call('runs.cancel', { runId }).catch((error: unknown) => out.failure(error))
  }
  signal.addEventListener('abort', stop, { once: true })
  let last: Run | undefined
  let ev: number | null = null
  const show = (run: Run, point: MetricPoint | undefined) => {
    if (run.state === 'queued') return out.progress(words('queued'))
    if (!point) return
    out.progress(
      words('training', {
        step: point.step,
        steps: run.steps,
        loss: point.loss.toFixed(2),
        l0: point.l0.toFixed(1),
        ev: ev === null ? '-' : ev.toFixed(3),
        dead: (point.deadFraction * 100).toFixed(1),
        rate: rateText(run.tokensPerSecond),
      }),
    )
  }
  await whole<{ run: Run; points: MetricPoint[] }>(
    (onNext, onEnd) => client.feed('runs.watch', { runId }, onNext, onEnd),
    ({ run, points }) => {
      last = run
      ev = points.findLast((point) => point.explainedVariance !== null)?.explainedVariance ?? ev
      show(run, points.at(-1))
    },
  )
  signal.removeEventListener('abort', stop)
  if (!last || !hasEnded(last.state)) last = await client.call('runs.get', { runId })
  requireDone(last.state, last.failure)
  return last
}

/** Waits for a job that is no training. */
export async function followJob(session: Session, jobId: number): Promise<void> {
  const { client, out, words, signal } = session
  const stop = () => {
    client.call('jobs.cancel', { jobId }).catch((error: unknown) => out.failure(error))
  }
  signal.addEventListener('abort', stop, { once: true })
  let last: Job | undefined
  await whole<Job>(
    (onNext, onEnd) => client.feed('jobs.watch', { jobId }, onNext, onEnd),
    (job) => {
      last = job
      if (job.state === 'queued') out.progress(words('queued'))
      else out.progress(words('atlas', { done: job.done, total: job.total, rate: rateText(job.tokensPerSecond) }))
    },
  )
  signal.removeEventListener('abort', stop)
  if (last) requireDone(last.state, last.failure)
}

export async function saeById(session: Session, saeId: number): Promise<Sae> {
  const sae = (await session.client.call('saes.list', {})).find((one) => one.id === saeId)
  if (!sae) throw new AppError('not-found', { what: 'autoencoder', id: saeId })
  return sae
}

/** Waits for the atlas that a training queued for its autoencoder, and answers the autoencoder with it. */
export async function followAtlasOf(session: Session, saeId: number): Promise<Sae> {
  const jobs = await session.client.call('jobs.list', {})
  const job = jobs.filter((one) => one.kind === 'atlas' && one.saeId === saeId).sort((a, b) => b.id - a.id)[0]
  if (job) await followJob(session, job.id)
  return saeById(session, saeId)
}

/** The lines a trained autoencoder is announced with. */
export function saeLines({ words }: Session, sae: Sae): string[] {
  const lines: string[] = []
  if (sae.summary) {
    const { explainedVariance, l0, heldOutTokens, deadFraction, deadWindowTokens } = sae.summary
    lines.push(
      words('trained', {
        id: sae.id,
        ev: explainedVariance.toFixed(3),
        l0: l0.toFixed(2),
        tokens: heldOutTokens,
        dead: (deadFraction * 100).toFixed(1),
        window: deadWindowTokens,
      }),
    )
  }
  if (sae.atlas) {
    const { liveFeatures, tokens } = sae.atlas
    lines.push(words('atlasBuilt', { id: sae.id, live: liveFeatures, total: sae.dSae, tokens }))
  }
  return lines
}
