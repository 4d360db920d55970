/** Filters and orders of the feature list that were kept under a name, as the query part of an address. */
import type { SavedView } from '../../shared/features'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

export class SavedViewStore {
  constructor(private readonly db: Db) {}

  /** By name. */
  list(): SavedView[] {
    return this.db.prepare<[], SavedView>('SELECT id, name, query FROM saved_view ORDER BY name').all()
  }

  /** Keeps a view; one of the same name is replaced. */
  save(name: string, query: string): SavedView[] {
    this.db.transaction(() => {
      const { changes } = this.db
        .prepare('UPDATE saved_view SET query = ? WHERE folded(name) = folded(?)')
        .run(query, name)
      if (changes > 0) return
      this.db.prepare('INSERT INTO saved_view (name, query, created_at) VALUES (?, ?, ?)').run(name, query, now())
    })()
    return this.list()
  }

  /** @throws AppError `not-found` */
  remove(id: number): SavedView[] {
    const { changes } = this.db.prepare('DELETE FROM saved_view WHERE id = ?').run(id)
    if (changes === 0) throw new AppError('not-found', { what: 'saved view', id })
    return this.list()
  }
}
