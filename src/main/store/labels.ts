/** What people call a feature: any number of labels with author and time, at most one of them chosen. */
import type { Label } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

type Row = Omit<Label, 'chosen'> & { chosen: number }

export class LabelStore {
  constructor(private readonly db: Db) {}

  /** Labels of a feature, newest first. */
  of(saeId: number, featureIndex: number): Label[] {
    return this.db
      .prepare<[number, number], Row>(
        `SELECT id, text, author, created_at AS createdAt, chosen, score FROM label
         WHERE sae_id = ? AND feature_index = ? ORDER BY id DESC`,
      )
      .all(saeId, featureIndex)
      .map((row) => ({ ...row, chosen: row.chosen === 1 }))
  }

  /** Adds a label and chooses it; an empty text only takes the choice away, what was written stays. */
  choose(saeId: number, featureIndex: number, text: string, author: string): Label[] {
    this.db.transaction(() => {
      this.db
        .prepare('UPDATE label SET chosen = 0 WHERE sae_id = ? AND feature_index = ? AND chosen = 1')
        .run(saeId, featureIndex)
      if (text !== '') this.putChosen(saeId, featureIndex, { text, author })
    })()
    return this.of(saeId, featureIndex)
  }

  /** Says how well a label fits. @throws AppError not-found */
  score(saeId: number, featureIndex: number, { labelId, score }: { labelId: number; score: number | null }): Label[] {
    const { changes } = this.db
      .prepare('UPDATE label SET score = ? WHERE id = ? AND sae_id = ? AND feature_index = ?')
      .run(score, labelId, saeId, featureIndex)
    if (changes === 0) throw new AppError('not-found', { what: 'label', id: labelId })
    return this.of(saeId, featureIndex)
  }

  private putChosen(saeId: number, featureIndex: number, label: { text: string; author: string }): void {
    const same = this.db
      .prepare<[number, number, string, string], { id: number }>(
        'SELECT id FROM label WHERE sae_id = ? AND feature_index = ? AND text = ? AND author = ?',
      )
      .get(saeId, featureIndex, label.text, label.author)
    if (same) this.db.prepare('UPDATE label SET chosen = 1 WHERE id = ?').run(same.id)
    else {
      this.db
        .prepare(
          'INSERT INTO label (sae_id, feature_index, text, author, chosen, created_at) VALUES (?, ?, ?, ?, 1, ?)',
        )
        .run(saeId, featureIndex, label.text, label.author, now())
    }
  }
}
