/** Rows of activation sets; their state is that of the latest job that collects them. */
import { z } from 'zod'
import { Job, type ActivationSet, type TrainConfig } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { jsonOf, now } from './blobs'
import type { Db } from './db'
import { freeId } from './free-id'

export type NewActivationSet = Pick<
  ActivationSet,
  'name' | 'modelId' | 'datasetId' | 'hookNames' | 'contextSize' | 'tokens' | 'dIn' | 'seed'
>

type Row = Omit<ActivationSet, 'hookNames' | 'failure'> & { hookNames: string; failure: string | null }

const SELECT = `
  SELECT one.id, one.name, one.model_id AS modelId, model.name AS modelName, one.dataset_id AS datasetId,
    dataset.name AS datasetName, one.hook_names AS hookNames, one.context_size AS contextSize, one.tokens,
    one.stored_tokens AS storedTokens, one.d_in AS dIn, one.bytes, one.seed, coalesce(job.state, 'interrupted') AS state,
    job.id AS jobId, coalesce(job.done, 0) AS done, coalesce(job.total, 0) AS total, job.failure, one.created_at AS createdAt
  FROM activation_set one
  JOIN model ON model.id = one.model_id
  JOIN dataset ON dataset.id = one.dataset_id
  LEFT JOIN job ON job.id = (SELECT max(id) FROM job WHERE activations_id = one.id)`

const setOf = (row: Row): ActivationSet => ({
  ...row,
  hookNames: z.array(z.string()).parse(JSON.parse(row.hookNames)),
  failure: jsonOf(Job.shape.failure, row.failure),
})

export class ActivationStore {
  /** @param folder of all sets */
  constructor(
    private readonly db: Db,
    private readonly folder: string,
  ) {}

  /** Newest first. */
  list(): ActivationSet[] {
    return this.db.prepare<[], Row>(`${SELECT} ORDER BY one.id DESC`).all().map(setOf)
  }

  /** @throws AppError `not-found` */
  get(id: number): ActivationSet {
    const row = this.db.prepare<[number], Row>(`${SELECT} WHERE one.id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'activations', id })
    return setOf(row)
  }

  /** Adds a set, or returns the one that was asked for in the same words; it keeps its name. */
  add(set: NewActivationSet): ActivationSet {
    const values = { ...set, hookNames: JSON.stringify(set.hookNames), createdAt: now() }
    const same = this.db
      .prepare<[typeof values], { id: number }>(
        `SELECT id FROM activation_set WHERE model_id = @modelId AND dataset_id = @datasetId AND hook_names = @hookNames
           AND context_size = @contextSize AND tokens = @tokens AND seed = @seed`,
      )
      .get(values)
    if (same) return this.get(same.id)
    const id = freeId(this.db, 'activation_set', this.folder)
    this.db
      .prepare(
        `INSERT INTO activation_set (id, name, model_id, dataset_id, hook_names, context_size, tokens, d_in, seed, created_at)
         VALUES (@id, @name, @modelId, @datasetId, @hookNames, @contextSize, @tokens, @dIn, @seed, @createdAt)`,
      )
      .run({ ...values, id })
    return this.get(id)
  }

  /**
   * Checks that a training may use the set its config names, if it names one.
   * @throws AppError `not-found`, `activations-incomplete`, `activations-unsuitable`
   */
  requireFor({ activationsId, modelId, hookName }: TrainConfig): void {
    if (activationsId === null) return
    const set = this.get(activationsId)
    const { name } = set
    if (set.state !== 'done') throw new AppError('activations-incomplete', { name })
    if (set.modelId !== modelId) throw new AppError('activations-unsuitable', { name, what: 'model' })
    if (!set.hookNames.includes(hookName)) throw new AppError('activations-unsuitable', { name, what: 'hook point' })
  }

  /** What a finished collection has put on disk. */
  setStored(id: number, { tokens, bytes }: { tokens: number; bytes: number }): void {
    this.db.prepare('UPDATE activation_set SET stored_tokens = ?, bytes = ? WHERE id = ?').run(tokens, bytes, id)
  }

  /**
   * Deletes the row with its jobs; files are the caller's.
   * @throws AppError `not-found`; `in-use` while its job is not over or a run that is not done trains on it
   */
  remove(id: number): void {
    this.get(id)
    const users = this.db
      .prepare<{ id: number }, string>(
        `SELECT 'job ' || id FROM job WHERE activations_id = @id AND state IN ('queued', 'running', 'cancelling')
         UNION SELECT run.name FROM run
           LEFT JOIN job ON job.id = (SELECT max(id) FROM job WHERE run_id = run.id AND kind = 'train')
           WHERE json_extract(run.config, '$.activationsId') = @id
             AND coalesce(job.state, 'interrupted') <> 'done'
         LIMIT 5`,
      )
      .pluck()
      .all({ id })
    if (users.length > 0) throw new AppError('in-use', { what: 'activations', id, users: users.join(', ') })
    this.db.prepare('DELETE FROM activation_set WHERE id = ?').run(id)
  }
}
