/** Notes on features: any number, each with author and time. */
import type { Note } from '../../shared/features'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

const SELECT = 'SELECT id, text, author, created_at AS createdAt FROM note'

export class NoteStore {
  constructor(private readonly db: Db) {}

  /** Newest first. */
  of(saeId: number, featureIndex: number): Note[] {
    return this.db
      .prepare<[number, number], Note>(`${SELECT} WHERE sae_id = ? AND feature_index = ? ORDER BY id DESC`)
      .all(saeId, featureIndex)
  }

  add(saeId: number, featureIndex: number, { text, author }: Pick<Note, 'text' | 'author'>): Note[] {
    this.db
      .prepare('INSERT INTO note (sae_id, feature_index, text, author, created_at) VALUES (?, ?, ?, ?, ?)')
      .run(saeId, featureIndex, text, author, now())
    return this.of(saeId, featureIndex)
  }

  /** @throws AppError `not-found` */
  remove(id: number): void {
    const { changes } = this.db.prepare('DELETE FROM note WHERE id = ?').run(id)
    if (changes === 0) throw new AppError('not-found', { what: 'note', id })
  }
}
