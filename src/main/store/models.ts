/** Rows of models: where a language model lies and what it is. */
import type { Model } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

export type NewModel = Omit<Model, 'id' | 'addedAt'>

const COLUMNS = `id, name, path, family, layers, d_model AS dModel, heads, vocabulary, context_size AS contextSize, dtype, parameters,
  weight_bytes AS weightBytes, sha256, added_at AS addedAt`

export class ModelStore {
  constructor(private readonly db: Db) {}

  list(): Model[] {
    return this.db.prepare<[], Model>(`SELECT ${COLUMNS} FROM model ORDER BY id`).all()
  }

  /** @throws AppError `not-found` */
  get(id: number): Model {
    const row = this.db.prepare<[number], Model>(`SELECT ${COLUMNS} FROM model WHERE id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'model', id })
    return row
  }

  /** Adds a model, or returns the one of the same folder and weights. */
  add(model: NewModel): Model {
    const same = this.db
      .prepare<[string, string], { id: number }>('SELECT id FROM model WHERE path = ? AND sha256 = ?')
      .get(model.path, model.sha256)
    if (same) return this.get(same.id)
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO model (name, path, family, layers, d_model, heads, vocabulary, context_size, dtype, parameters,
           weight_bytes, sha256, added_at)
         VALUES (@name, @path, @family, @layers, @dModel, @heads, @vocabulary, @contextSize, @dtype, @parameters,
           @weightBytes, @sha256, @addedAt)`,
      )
      .run({ ...model, addedAt: now() })
    return this.get(Number(lastInsertRowid))
  }

  /** @throws AppError `not-found`, `in-use` */
  remove(id: number): void {
    this.get(id)
    const users = this.db
      .prepare<[number, number], string>(
        'SELECT name FROM run WHERE model_id = ? UNION SELECT name FROM sae WHERE model_id = ? LIMIT 5',
      )
      .pluck()
      .all(id, id)
    if (users.length > 0) throw new AppError('in-use', { what: 'model', id, users: users.join(', ') })
    this.db.prepare('DELETE FROM model WHERE id = ?').run(id)
  }
}
