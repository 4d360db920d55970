/** Features put into safety categories with a reason. */
import { SafetyCategory, type SafetyFlag } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

const SELECT =
  'SELECT id, sae_id AS saeId, feature_index AS featureIndex, category, reason, created_at AS createdAt FROM safety_flag'

export type NewFlag = Omit<SafetyFlag, 'id' | 'createdAt'>

export class SafetyStore {
  constructor(private readonly db: Db) {}

  /** Every category in the order of the list, with how many features it holds. */
  counts(saeId: number): { category: SafetyCategory; count: number }[] {
    const rows = this.db
      .prepare<[number], { category: SafetyCategory; count: number }>(
        'SELECT category, count(*) AS count FROM safety_flag WHERE sae_id = ? GROUP BY category',
      )
      .all(saeId)
    const found = new Map(rows.map((row) => [row.category, row.count]))
    return SafetyCategory.options.map((category) => ({ category, count: found.get(category) ?? 0 }))
  }

  list(saeId: number, category: SafetyCategory): SafetyFlag[] {
    return this.db
      .prepare<[number, string], SafetyFlag>(`${SELECT} WHERE sae_id = ? AND category = ? ORDER BY feature_index`)
      .all(saeId, category)
  }

  ofFeature(saeId: number, featureIndex: number): SafetyFlag[] {
    return this.db
      .prepare<[number, number], SafetyFlag>(`${SELECT} WHERE sae_id = ? AND feature_index = ? ORDER BY id`)
      .all(saeId, featureIndex)
  }

  /** Puts a feature into a category; when it is there already the reason is replaced. */
  assign(flag: NewFlag): SafetyFlag {
    this.db
      .prepare(
        `INSERT INTO safety_flag (sae_id, feature_index, category, reason, created_at)
         VALUES (@saeId, @featureIndex, @category, @reason, @createdAt)
         ON CONFLICT (sae_id, feature_index, category) DO UPDATE SET reason = @reason, created_at = @createdAt`,
      )
      .run({ ...flag, createdAt: now() })
    const found = this.ofFeature(flag.saeId, flag.featureIndex).find(({ category }) => category === flag.category)
    if (!found) throw new AppError('not-found', { what: 'safety flag', id: flag.category })
    return found
  }

  /** @throws AppError `not-found` */
  remove(flagId: number): void {
    const { changes } = this.db.prepare('DELETE FROM safety_flag WHERE id = ?').run(flagId)
    if (changes === 0) throw new AppError('not-found', { what: 'safety flag', id: flagId })
  }
}
