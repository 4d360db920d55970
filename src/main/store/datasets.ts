/** Rows of datasets: where a file of documents lies and what it holds. */
import type { Dataset, TokenCount } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

export type NewDataset = Omit<Dataset, 'id' | 'addedAt' | 'tokenCounts'>

const COLUMNS = `id, name, path, format, text_field AS textField, files, documents, deduplicate, duplicates, bytes, sha256, preview,
  source, added_at AS addedAt`

type Row = Omit<Dataset, 'deduplicate' | 'tokenCounts'> & { deduplicate: number }

export class DatasetStore {
  constructor(private readonly db: Db) {}

  list(): Dataset[] {
    return this.db
      .prepare<[], Row>(`SELECT ${COLUMNS} FROM dataset ORDER BY id`)
      .all()
      .map((row) => this.datasetOf(row))
  }

  /** @throws AppError `not-found` */
  get(id: number): Dataset {
    const row = this.db.prepare<[number], Row>(`SELECT ${COLUMNS} FROM dataset WHERE id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'dataset', id })
    return this.datasetOf(row)
  }

  /** Adds a dataset, or returns the one of the same file, content and field. */
  add(dataset: NewDataset): Dataset {
    const same = this.db
      .prepare<[string, string, string | null, number], { id: number }>(
        'SELECT id FROM dataset WHERE path = ? AND sha256 = ? AND text_field IS ? AND deduplicate = ?',
      )
      .get(dataset.path, dataset.sha256, dataset.textField, dataset.deduplicate ? 1 : 0)
    if (same) return this.get(same.id)
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO dataset (name, path, format, text_field, files, documents, deduplicate, duplicates, bytes, sha256, preview, source,
           added_at)
         VALUES (@name, @path, @format, @textField, @files, @documents, @deduplicate, @duplicates, @bytes, @sha256, @preview,
           @source, @addedAt)`,
      )
      .run({ ...dataset, deduplicate: dataset.deduplicate ? 1 : 0, addedAt: now() })
    return this.get(Number(lastInsertRowid))
  }

  /** Remembers how many tokens a model's tokenizer makes of a dataset. */
  setTokenCount(datasetId: number, { modelId, tokens, isExact }: TokenCount): void {
    this.db
      .prepare('INSERT OR REPLACE INTO token_count (dataset_id, model_id, tokens, is_exact) VALUES (?, ?, ?, ?)')
      .run(datasetId, modelId, tokens, isExact ? 1 : 0)
  }

  /** @throws AppError `not-found`, `in-use` */
  remove(id: number): void {
    this.get(id)
    const users = this.db
      .prepare<{ id: number }, string>(
        `SELECT name FROM run WHERE dataset_id = @id
         UNION SELECT sae.name FROM atlas JOIN sae ON sae.id = atlas.sae_id WHERE atlas.dataset_id = @id
         UNION SELECT name FROM activation_set WHERE dataset_id = @id LIMIT 5`,
      )
      .pluck()
      .all({ id })
    if (users.length > 0) throw new AppError('in-use', { what: 'dataset', id, users: users.join(', ') })
    this.db.prepare('DELETE FROM dataset WHERE id = ?').run(id)
  }

  private datasetOf(row: Row): Dataset {
    const counts = this.db
      .prepare<[number], { modelId: number; tokens: number; isExact: number }>(
        'SELECT model_id AS modelId, tokens, is_exact AS isExact FROM token_count WHERE dataset_id = ? ORDER BY model_id',
      )
      .all(row.id)
    return {
      ...row,
      deduplicate: row.deduplicate === 1,
      tokenCounts: counts.map((count) => ({ ...count, isExact: count.isExact === 1 })),
    }
  }
}
