/** Rows of datasets: where a file of documents lies and what it holds. */
import type { Dataset } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

export type NewDataset = Omit<Dataset, 'id' | 'addedAt'>

const COLUMNS =
  'id, name, path, format, text_field AS textField, documents, bytes, sha256, preview, added_at AS addedAt'

export class DatasetStore {
  constructor(private readonly db: Db) {}

  list(): Dataset[] {
    return this.db.prepare<[], Dataset>(`SELECT ${COLUMNS} FROM dataset ORDER BY id`).all()
  }

  /** @throws AppError `not-found` */
  get(id: number): Dataset {
    const row = this.db.prepare<[number], Dataset>(`SELECT ${COLUMNS} FROM dataset WHERE id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'dataset', id })
    return row
  }

  /** Adds a dataset, or returns the one of the same file, content and field. */
  add(dataset: NewDataset): Dataset {
    const same = this.db
      .prepare<[string, string, string | null], { id: number }>(
        'SELECT id FROM dataset WHERE path = ? AND sha256 = ? AND text_field IS ?',
      )
      .get(dataset.path, dataset.sha256, dataset.textField)
    if (same) return this.get(same.id)
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO dataset (name, path, format, text_field, documents, bytes, sha256, preview, added_at)
         VALUES (@name, @path, @format, @textField, @documents, @bytes, @sha256, @preview, @addedAt)`,
      )
      .run({ ...dataset, addedAt: now() })
    return this.get(Number(lastInsertRowid))
  }

  /** @throws AppError `not-found`, `in-use` */
  remove(id: number): void {
    this.get(id)
    const users = this.db
      .prepare<[number, number], string>(
        `SELECT name FROM run WHERE dataset_id = ?
         UNION SELECT sae.name FROM atlas JOIN sae ON sae.id = atlas.sae_id WHERE atlas.dataset_id = ? LIMIT 5`,
      )
      .pluck()
      .all(id, id)
    if (users.length > 0) throw new AppError('in-use', { what: 'dataset', id, users: users.join(', ') })
    this.db.prepare('DELETE FROM dataset WHERE id = ?').run(id)
  }
}
