/** Named lists of features; one may hold features of several autoencoders. */
import type { FeatureList } from '../../shared/features'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

export class ListStore {
  constructor(private readonly db: Db) {}

  /** All lists by name, with how many features of the autoencoder each holds. */
  all(saeId: number): (FeatureList & { count: number })[] {
    return this.db
      .prepare<[number], FeatureList & { count: number }>(
        `SELECT list.id, list.name, count(list_feature.list_id) AS count
         FROM list LEFT JOIN list_feature ON list_feature.list_id = list.id AND list_feature.sae_id = ?
         GROUP BY list.id ORDER BY list.name`,
      )
      .all(saeId)
  }

  /** Lists that hold a feature, by name. */
  ofFeature(saeId: number, featureIndex: number): FeatureList[] {
    return this.db
      .prepare<[number, number], FeatureList>(
        `SELECT list.id, list.name FROM list_feature JOIN list ON list.id = list_feature.list_id
         WHERE sae_id = ? AND feature_index = ? ORDER BY list.name`,
      )
      .all(saeId, featureIndex)
  }

  /**
   * Puts features into a list, making it when the name is new; names differ by more than case.
   * @returns the list, and those that were not in it before
   */
  put(saeId: number, featureIndexes: readonly number[], name: string): FeatureList & { added: number[] } {
    return this.db.transaction(() => {
      const list = this.byName(name) ?? this.make(name)
      const insert = this.db.prepare(
        'INSERT OR IGNORE INTO list_feature (list_id, sae_id, feature_index, added_at) VALUES (?, ?, ?, ?)',
      )
      const added = featureIndexes.filter((index) => insert.run(list.id, saeId, index, now()).changes > 0)
      return { ...list, added }
    })()
  }

  /** @throws AppError `not-found` when the list does not exist */
  take(listId: number, saeId: number, featureIndexes: readonly number[]): void {
    this.get(listId)
    this.db.transaction(() => {
      const remove = this.db.prepare('DELETE FROM list_feature WHERE list_id = ? AND sae_id = ? AND feature_index = ?')
      for (const index of featureIndexes) remove.run(listId, saeId, index)
    })()
  }

  /** Removes a list; its features stay. @throws AppError `not-found` */
  remove(listId: number): void {
    this.get(listId)
    this.db.prepare('DELETE FROM list WHERE id = ?').run(listId)
  }

  private get(id: number): void {
    const exists = this.db.prepare('SELECT 1 FROM list WHERE id = ?').get(id)
    if (!exists) throw new AppError('not-found', { what: 'list', id })
  }

  private byName(name: string): FeatureList | undefined {
    return this.db.prepare<[string], FeatureList>('SELECT id, name FROM list WHERE folded(name) = folded(?)').get(name)
  }

  private make(name: string): FeatureList {
    const { lastInsertRowid } = this.db.prepare('INSERT INTO list (name, created_at) VALUES (?, ?)').run(name, now())
    return { id: Number(lastInsertRowid), name }
  }
}
