/** Other features that a feature's page names: what they are called, and one figure that ties them to it. */
import { float32Of, int32Of } from './blobs'
import type { Db } from './db'

type Known = { featureIndex: number; label: string | null; density: number; topToken: string | null }

/**
 * The named features of an atlas, in their order; padding with -1 is left out.
 * @param related int32 indexes and float32 values beside them
 */
export function known(
  db: Db,
  atlasId: number,
  related: { indexes: Buffer; values: Buffer },
): (Known & { value: number })[] {
  const indexes = int32Of(related.indexes)
  const values = float32Of(related.values)
  // CROSS JOIN makes SQLite walk the few wanted features, not all of them.
  const rows = db
    .prepare<[string, number], Known & { at: number }>(
      `SELECT feature_index AS featureIndex, label, density, top_token AS topToken, wanted.key AS at
       FROM json_each(?) AS wanted CROSS JOIN feature ON atlas_id = ? AND feature_index = wanted.value ORDER BY wanted.key`,
    )
    .all(JSON.stringify(Array.from(indexes)), atlasId)
  return rows.map(({ at, ...feature }) => ({ ...feature, value: values[at] ?? 0 }))
}
