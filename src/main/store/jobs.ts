/** Rows of jobs: the queue, its states and what went wrong. */
import { Job, NeuronSettings, type JobKind, type JobState } from '../../shared/domain'
import { AppError, type Failure } from '../../shared/errors'
import { jsonOf, now, toJson } from './blobs'
import type { Db } from './db'

export type NewJob = {
  kind: JobKind
  runId: number | null
  saeId: number | null
  datasetId: number | null
  title: string
  chained: boolean
  total: number
  /** Of a job of kind `collect`. */
  activationsId?: number
  /** Of a job of kind `neurons`. */
  settings?: NeuronSettings
}

/** A job with what only the queue needs. */
export type QueuedJob = {
  job: Job
  datasetId: number | null
  chained: boolean
  activationsId: number | null
  settings: NeuronSettings | null
}

type Row = Omit<Job, 'failure'> & {
  failure: string | null
  datasetId: number | null
  chained: number
  activationsId: number | null
  settings: string | null
}

const SELECT = `SELECT id, kind, state, run_id AS runId, sae_id AS saeId, dataset_id AS datasetId,
  activations_id AS activationsId, settings, title, chained, done, total,
  tokens_per_second AS tokensPerSecond, failure, created_at AS createdAt, started_at AS startedAt, ended_at AS endedAt FROM job`

const FailureColumn = Job.shape.failure

const jobOf = ({ datasetId: _, chained: __, activationsId: ___, settings: ____, ...row }: Row): Job => ({
  ...row,
  failure: jsonOf(FailureColumn, row.failure),
})

export class JobStore {
  constructor(private readonly db: Db) {}

  /** Newest first. */
  list(limit = 500): Job[] {
    return this.db.prepare<[number], Row>(`${SELECT} ORDER BY id DESC LIMIT ?`).all(limit).map(jobOf)
  }

  /** @throws AppError `not-found` */
  get(id: number): Job {
    return this.queued(id).job
  }

  /** @throws AppError `not-found` */
  queued(id: number): QueuedJob {
    const row = this.db.prepare<[number], Row>(`${SELECT} WHERE id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'job', id })
    const { datasetId, activationsId } = row
    const settings = jsonOf(NeuronSettings, row.settings)
    return { job: jobOf(row), datasetId, activationsId, settings, chained: row.chained === 1 }
  }

  /** The job that should run next: an atlas chained to a training first, then the oldest. */
  next(): QueuedJob | null {
    const id = this.db
      .prepare<[], number>(
        `SELECT id FROM job WHERE state = 'queued' ORDER BY (kind = 'atlas' AND chained = 1) DESC, id LIMIT 1`,
      )
      .pluck()
      .get()
    return id === undefined ? null : this.queued(id)
  }

  add(job: NewJob): Job {
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO job (kind, state, run_id, sae_id, dataset_id, activations_id, settings, title, chained, total, created_at)
         VALUES (@kind, 'queued', @runId, @saeId, @datasetId, @activationsId, @settings, @title, @chained, @total, @createdAt)`,
      )
      .run({
        ...{ ...job, activationsId: job.activationsId ?? null, settings: toJson(job.settings ?? null) },
        ...{ chained: job.chained ? 1 : 0, createdAt: now() },
      })
    return this.get(Number(lastInsertRowid))
  }

  start(id: number): void {
    this.db.prepare(`UPDATE job SET state = 'running', started_at = ? WHERE id = ?`).run(now(), id)
  }

  cancelling(id: number): void {
    this.db.prepare(`UPDATE job SET state = 'cancelling' WHERE id = ? AND state = 'running'`).run(id)
  }

  progress(id: number, done: number, total: number, tokensPerSecond: number | null): void {
    this.db
      .prepare('UPDATE job SET done = ?, total = ?, tokens_per_second = ? WHERE id = ?')
      .run(Math.round(done), Math.round(total), tokensPerSecond, id)
  }

  /** Ends a job that has not ended yet; the first end stands. */
  end(id: number, state: JobState, failure: Failure | null = null): void {
    this.db
      .prepare(
        `UPDATE job SET state = ?, failure = ?, ended_at = ? WHERE id = ? AND state IN ('queued', 'running', 'cancelling')`,
      )
      .run(state, toJson(failure), now(), id)
  }

  /** Ids of the jobs of a run or autoencoder that have not ended. */
  open(runId: number): number[] {
    return this.db
      .prepare<{ runId: number }, number>(
        `SELECT id FROM job WHERE state IN ('queued', 'running', 'cancelling')
           AND (run_id = @runId OR sae_id IN (SELECT id FROM sae WHERE run_id = @runId))`,
      )
      .pluck()
      .all({ runId })
  }

  /** Whether another training job of the same run came before this one: then this one goes on where that one stopped. */
  isResumed({ id, runId }: Pick<Job, 'id' | 'runId'>): boolean {
    return (
      this.db.prepare(`SELECT 1 FROM job WHERE run_id = ? AND kind = 'train' AND id < ?`).get(runId, id) !== undefined
    )
  }

  /** At boot nothing can be running: whatever says so was cut off. Returns the runs it touched. */
  interruptAll(): number[] {
    const open = `state IN ('queued', 'running', 'cancelling')`
    const runs = this.db
      .prepare<[], number>(`SELECT DISTINCT run_id FROM job WHERE run_id IS NOT NULL AND ${open}`)
      .pluck()
      .all()
    this.db.prepare(`UPDATE job SET state = 'interrupted', ended_at = ? WHERE ${open}`).run(now())
    return runs
  }
}
