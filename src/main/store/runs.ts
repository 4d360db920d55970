/** Rows of runs; the state, progress and failure of a run are those of its latest training job. */
import { Actual, Backend, Forecast, Job, type JobState, type Run, SaeSummary, TrainConfig } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { jsonOf, now, toJson } from './blobs'
import type { Db } from './db'
import { freeId } from './free-id'

type Row = {
  id: number
  name: string
  config: string
  modelName: string
  datasetName: string
  state: JobState
  jobId: number | null
  saeId: number | null
  backend: string | null
  step: number
  steps: number
  tokensPerSecond: number | null
  summary: string | null
  forecast: string | null
  actual: string | null
  failure: string | null
  createdAt: string
  endedAt: string | null
}

const SELECT = `
  SELECT run.id, run.name, run.config, model.name AS modelName, dataset.name AS datasetName,
    coalesce(job.state, 'interrupted') AS state, job.id AS jobId, sae.id AS saeId, run.backend,
    coalesce(job.done, 0) AS step, run.steps, job.tokens_per_second AS tokensPerSecond, sae.summary, job.failure,
    run.forecast, run.actual, run.created_at AS createdAt, job.ended_at AS endedAt
  FROM run
  JOIN model ON model.id = run.model_id
  JOIN dataset ON dataset.id = run.dataset_id
  LEFT JOIN sae ON sae.run_id = run.id
  LEFT JOIN job ON job.id = (SELECT max(id) FROM job WHERE run_id = run.id AND kind = 'train')`

/** A run as the database knows it; its folder tells the rest. */
export type StoredRun = Omit<Run, 'canResume' | 'resumeStep'>

const runOf = (row: Row): StoredRun => ({
  ...row,
  config: TrainConfig.parse(JSON.parse(row.config)),
  backend: jsonOf(Backend, row.backend),
  summary: jsonOf(SaeSummary, row.summary),
  forecast: jsonOf(Forecast, row.forecast),
  actual: jsonOf(Actual, row.actual),
  failure: jsonOf(Job.shape.failure, row.failure),
})

export class RunStore {
  /** @param folder of all runs */
  constructor(
    private readonly db: Db,
    private readonly folder: string,
  ) {}

  /** Newest first. */
  list(): StoredRun[] {
    return this.db.prepare<[], Row>(`${SELECT} ORDER BY run.id DESC`).all().map(runOf)
  }

  /** @throws AppError `not-found` */
  get(id: number): StoredRun {
    const row = this.db.prepare<[number], Row>(`${SELECT} WHERE run.id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'run', id })
    return runOf(row)
  }

  /** Adds a run without a job; returns its id. */
  add(name: string, config: TrainConfig): number {
    const steps = Math.max(1, Math.ceil(config.trainingTokens / config.batchTokens))
    const id = freeId(this.db, 'run', this.folder)
    this.db
      .prepare(
        'INSERT INTO run (id, name, config, model_id, dataset_id, steps, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, name, toJson(config), config.modelId, config.datasetId, steps, now())
    return id
  }

  setBackend(id: number, backend: Backend): void {
    this.db.prepare('UPDATE run SET backend = ? WHERE id = ?').run(toJson(backend), id)
  }

  setSteps(id: number, steps: number): void {
    this.db.prepare('UPDATE run SET steps = ? WHERE id = ? AND steps <> ?').run(steps, id, steps)
  }

  setForecast(id: number, forecast: Forecast): void {
    this.db.prepare('UPDATE run SET forecast = ? WHERE id = ?').run(toJson(forecast), id)
  }

  /** Keeps what a run took; the time is that of its training jobs, which must have ended. */
  setActual(id: number, measured: Omit<Actual, 'seconds'>): void {
    const seconds = this.db
      .prepare<[number], number>(
        `SELECT coalesce(sum((julianday(ended_at) - julianday(started_at)) * 86400), 0) FROM job
         WHERE run_id = ? AND kind = 'train' AND started_at IS NOT NULL AND ended_at IS NOT NULL`,
      )
      .pluck()
      .get(id)
    const actual: Actual = { ...measured, seconds: Math.max(0, seconds ?? 0) }
    this.db.prepare('UPDATE run SET actual = ? WHERE id = ?').run(toJson(actual), id)
  }

  /** Deletes the run with its jobs, points and autoencoder; files are the caller's. */
  remove(id: number): void {
    this.db.prepare('DELETE FROM run WHERE id = ?').run(id)
  }
}
