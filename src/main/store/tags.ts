/** Tags of the workspace and the features that carry them. */
import type { CountedTag, Tag, TagFacts } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import type { Db } from './db'

const COLORS = 8

export class TagStore {
  constructor(private readonly db: Db) {}

  /** All tags by category and name, with how many features of the autoencoder carry each. */
  list(saeId: number): CountedTag[] {
    return this.db
      .prepare<[number], CountedTag>(
        `SELECT tag.id, tag.name, tag.color, tag.category, count(feature_tag.tag_id) AS count
         FROM tag LEFT JOIN feature_tag ON feature_tag.tag_id = tag.id AND feature_tag.sae_id = ?
         GROUP BY tag.id ORDER BY tag.category, tag.name`,
      )
      .all(saeId)
  }

  /** Indexes of the features that carry a tag, ascending. @throws AppError `not-found` when the tag does not exist */
  features(saeId: number, tagId: number): Int32Array<ArrayBuffer> {
    this.get(tagId)
    const found = this.db
      .prepare<[number, number], number>(
        'SELECT feature_index FROM feature_tag WHERE sae_id = ? AND tag_id = ? ORDER BY feature_index',
      )
      .pluck()
      .all(saeId, tagId)
    return Int32Array.from(found)
  }

  /** Tags of some features by feature index. */
  ofFeatures(saeId: number, featureIndexes: readonly number[]): Map<number, Tag[]> {
    const rows = this.db
      .prepare<[string, number], Tag & { featureIndex: number }>(
        `SELECT tag.id, tag.name, tag.color, feature_tag.feature_index AS featureIndex
         FROM json_each(?) AS wanted
         CROSS JOIN feature_tag ON feature_tag.sae_id = ? AND feature_tag.feature_index = wanted.value
         JOIN tag ON tag.id = feature_tag.tag_id ORDER BY tag.name`,
      )
      .all(JSON.stringify(featureIndexes), saeId)
    const found = new Map<number, Tag[]>()
    for (const { featureIndex, ...tag } of rows) found.set(featureIndex, [...(found.get(featureIndex) ?? []), tag])
    return found
  }

  /**
   * Puts a tag on features, making it when the name is new; names differ by more than case.
   * @returns the tag, and the features that did not have it before
   */
  put(saeId: number, featureIndexes: readonly number[], name: string): Tag & { added: number[] } {
    return this.db.transaction(() => {
      const tag = this.byName(name) ?? this.make(name)
      const insert = this.db.prepare(
        'INSERT OR IGNORE INTO feature_tag (sae_id, feature_index, tag_id) VALUES (?, ?, ?)',
      )
      const added = featureIndexes.filter((featureIndex) => insert.run(saeId, featureIndex, tag.id).changes > 0)
      return { ...tag, added }
    })()
  }

  /** @throws AppError `not-found` when the tag does not exist */
  take(saeId: number, featureIndexes: readonly number[], tagId: number): void {
    this.get(tagId)
    this.db.transaction(() => {
      const remove = this.db.prepare('DELETE FROM feature_tag WHERE sae_id = ? AND feature_index = ? AND tag_id = ?')
      for (const featureIndex of featureIndexes) remove.run(saeId, featureIndex, tagId)
    })()
  }

  /** @throws AppError `not-found`; `tag-exists` when another tag has the name */
  change(id: number, { name, color, category }: TagFacts): Omit<CountedTag, 'count'> {
    this.get(id)
    const other = this.byName(name)
    if (other && other.id !== id) throw new AppError('tag-exists', { name: other.name })
    this.db.prepare('UPDATE tag SET name = ?, color = ?, category = ? WHERE id = ?').run(name, color, category, id)
    return { id, name, color, category }
  }

  private get(id: number): void {
    const exists = this.db.prepare('SELECT 1 FROM tag WHERE id = ?').get(id)
    if (!exists) throw new AppError('not-found', { what: 'tag', id })
  }

  private byName(name: string): Tag | undefined {
    return this.db.prepare<[string], Tag>('SELECT id, name, color FROM tag WHERE folded(name) = folded(?)').get(name)
  }

  private make(name: string): Tag {
    const count = this.db.prepare<[], number>('SELECT count(*) FROM tag').pluck().get() ?? 0
    const color = (count % COLORS) + 1
    const { lastInsertRowid } = this.db.prepare('INSERT INTO tag (name, color) VALUES (?, ?)').run(name, color)
    return { id: Number(lastInsertRowid), name, color }
  }
}
