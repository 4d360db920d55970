/** Deletes an atlas in many short transactions: a million features at once would keep the program from answering for many seconds. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Db } from './db'

/** Features of one transaction: some 20 ms. */
const CHUNK_FEATURES = 128
const TABLES = ['feature', 'feature_blob', 'feature_page', 'feature_weights'] as const

/** Atlases that readers do not see: replaced ones, and what a killed process had begun to write or to delete. */
export function hiddenAtlases(db: Db): number[] {
  return db
    .prepare<[], { id: number }>('SELECT id FROM atlas WHERE complete = 0')
    .all()
    .map(({ id }) => id)
}

/** Deletes a hidden atlas with everything of it; what a closed database leaves goes at the next start. */
export async function dropAtlas(db: Db, atlasId: number): Promise<void> {
  const last = db
    .prepare<[number], { last: number | null }>('SELECT max(feature_index) AS last FROM feature WHERE atlas_id = ?')
    .get(atlasId)
  const deletes = [
    ...TABLES.map((table) => `DELETE FROM ${table} WHERE atlas_id = @atlasId AND feature_index BETWEEN @from AND @to`),
    'DELETE FROM context_text WHERE rowid BETWEEN @firstId AND @lastId',
    'DELETE FROM feature_box WHERE id BETWEEN @firstId AND @lastId',
  ].map((sql) => ({ statement: db.prepare(sql), isById: sql.includes('@firstId') }))
  const idOf = (feature: number) => (BigInt(atlasId) << 32n) + BigInt(feature)
  // From the last on, so that what is left is always a beginning, whose end the next start finds.
  for (let to = last?.last ?? -1; to >= 0 && db.open; to -= CHUNK_FEATURES) {
    const from = Math.max(0, to - CHUNK_FEATURES + 1)
    const [byIndex, byId] = [
      { atlasId, from, to },
      { firstId: idOf(from), lastId: idOf(to) },
    ]
    db.transaction(() => deletes.forEach(({ statement, isById }) => statement.run(isById ? byId : byIndex)))()
    await nextTurn()
  }
  if (db.open) db.prepare('DELETE FROM atlas WHERE id = ?').run(atlasId)
}
