/**
 * Brings an atlas into the database. Many short transactions keep the program answering; the last one makes the new atlas the
 * visible one and drops the old, so that readers see either of them whole. Labels, tags and flags are not touched.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toSpans, type TokenPieces } from '../../shared/token-spans'
import { now, toBlob } from './blobs'
import type { Db } from './db'
import { FeatureWeightsStore } from './feature-weights'
import type { WeightColumns } from './feature-weights'

/** Columns of an atlas, as files/atlas-file.ts reads them. */
export type AtlasColumns = {
  tokens: number
  documents: number
  droppedTokens: number
  dSae: number
  /** [dSae] */
  fired: Float64Array
  sum: Float64Array
  max: Float32Array
  /** [dSae, bins], counts of non-zero activations in equal bins from 0 to `max`. */
  histogram: Float32Array
  /** [n] each, sorted by feature, then by max descending; `ids` and `values` [n, width]. */
  contexts: {
    feature: Int32Array
    document: Int32Array
    position: Int32Array
    start: Int32Array
    max: Float32Array
    length: Int32Array
    ids: Int32Array
    values: Float32Array
  }
  /** Null in files of an older format. */
  weights: WeightColumns | null
}

/** Divides the 50 bins of the atlas, so that every count stays one. */
const SMALL_BINS = 25
const CHUNK_FEATURES = 256
const PEAK_BEFORE = 5
const PEAK_AFTER = 5

/**
 * Counts of equal bins in fewer equal bins over the same range; a bin that lies across a border is shared by overlap.
 * @param fine [n] counts
 * @returns [bins] counts with the same sum
 */
export function rebin(fine: Float32Array, bins: number): Float32Array {
  const coarse = new Float64Array(bins)
  const width = fine.length / bins
  for (let i = 0; i < fine.length; i++) {
    for (let b = Math.floor(i / width); b < bins && b * width < i + 1; b++) {
      const overlap = Math.min(i + 1, (b + 1) * width) - Math.max(i, b * width)
      coarse[b] = (coarse[b] ?? 0) + (fine[i] ?? 0) * Math.max(0, overlap)
    }
  }
  return Float32Array.from(coarse)
}

export class AtlasImport {
  private readonly insertFeature
  private readonly insertBlobs
  private readonly insertContext
  private readonly weights: FeatureWeightsStore

  constructor(private readonly db: Db) {
    this.weights = new FeatureWeightsStore(db)
    this.insertFeature = db.prepare(
      `INSERT INTO feature (atlas_id, feature_index, fired_tokens, density, max_activation, mean_activation, top_token)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.insertBlobs = db.prepare(
      'INSERT INTO feature_blob (atlas_id, feature_index, histogram, fine_histogram, peak_ids, peak_values) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.insertContext = db.prepare(
      `INSERT INTO context (atlas_id, feature_index, rank, document_index, position, max, peak, ids, "values")
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  /** Replaces the atlas of an autoencoder. When it fails the old one stays. */
  async run(source: { saeId: number; datasetId: number }, atlas: AtlasColumns, pieces: TokenPieces): Promise<void> {
    const live = atlas.fired.reduce((count, fired) => count + (fired > 0 ? 1 : 0), 0)
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO atlas (sae_id, dataset_id, tokens, documents, dropped_tokens, live_features, complete, built_at)
         VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
      )
      .run(source.saeId, source.datasetId, atlas.tokens, atlas.documents, atlas.droppedTokens, live, now())
    const atlasId = Number(lastInsertRowid)
    try {
      for (let from = 0, row = 0; from < atlas.dSae; from += CHUNK_FEATURES) {
        row = this.db.transaction(() => this.chunk(atlasId, { atlas, pieces, from, row }))()
        await nextTurn()
      }
      this.show(atlasId, source.saeId)
    } catch (error) {
      this.db.prepare('DELETE FROM atlas WHERE id = ?').run(atlasId)
      throw error
    }
  }

  /** Removes what an import left that a killed process had begun. */
  dropIncomplete(): void {
    this.db.prepare('DELETE FROM atlas WHERE complete = 0').run()
  }

  /** Writes features [from, from + chunk) and their contexts from context row `row` on; returns the next context row. */
  private chunk(atlasId: number, at: { atlas: AtlasColumns; pieces: TokenPieces; from: number; row: number }): number {
    const { atlas, pieces, from } = at
    const bins = atlas.histogram.length / atlas.dSae
    let row = at.row
    for (let i = from; i < Math.min(from + CHUNK_FEATURES, atlas.dSae); i++) {
      const peak = peakOf(atlas, row, i, pieces)
      const fired = atlas.fired[i] ?? 0
      const mean = fired > 0 ? (atlas.sum[i] ?? 0) / fired : 0
      const density = atlas.tokens > 0 ? fired / atlas.tokens : 0
      const fine = atlas.histogram.subarray(i * bins, (i + 1) * bins)
      this.insertFeature.run(atlasId, i, fired, density, atlas.max[i] ?? 0, mean, peak.token)
      this.insertBlobs.run(
        atlasId,
        i,
        toBlob(rebin(fine, SMALL_BINS)),
        toBlob(fine),
        toBlob(peak.ids),
        toBlob(peak.values),
      )
      if (atlas.weights) this.weights.put(atlasId, i, atlas.weights)
      for (let rank = 0; atlas.contexts.feature[row] === i; rank++, row++) this.context(atlasId, atlas, row, rank)
    }
    return row
  }

  private context(atlasId: number, atlas: AtlasColumns, row: number, rank: number): void {
    const { feature, document, position, start, max } = atlas.contexts
    const { ids, values } = tokensOf(atlas, row)
    const peak = Math.max(0, (position[row] ?? 0) - (start[row] ?? 0))
    this.insertContext.run(
      ...[atlasId, feature[row], rank, document[row], position[row], max[row], peak, toBlob(ids), toBlob(values)],
    )
  }

  private show(atlasId: number, saeId: number): void {
    this.db.transaction(() => {
      this.db.prepare('DELETE FROM atlas WHERE sae_id = ? AND id <> ?').run(saeId, atlasId)
      this.db
        .prepare(
          `UPDATE feature SET label = label.text FROM label
           WHERE feature.atlas_id = ? AND label.sae_id = ? AND label.chosen = 1 AND label.feature_index = feature.feature_index`,
        )
        .run(atlasId, saeId)
      this.db.prepare('UPDATE atlas SET complete = 1 WHERE id = ?').run(atlasId)
    })()
  }
}

/** Token ids and values of one context row, without the padding. */
function tokensOf({ contexts }: AtlasColumns, row: number): { ids: Int32Array; values: Float32Array } {
  const width = contexts.ids.length / Math.max(1, contexts.feature.length)
  const begin = row * width
  const end = begin + Math.min(width, contexts.length[row] ?? 0)
  return { ids: contexts.ids.subarray(begin, end), values: contexts.values.subarray(begin, end) }
}

/** The tokens around the peak of the strongest context of feature `i`, whose contexts begin at `row`. */
function peakOf(atlas: AtlasColumns, row: number, i: number, pieces: TokenPieces) {
  if (atlas.contexts.feature[row] !== i) return { ids: new Int32Array(0), values: new Float32Array(0), token: null }
  const { ids, values } = tokensOf(atlas, row)
  const peak = Math.max(0, (atlas.contexts.position[row] ?? 0) - (atlas.contexts.start[row] ?? 0))
  let tokens = 0
  const span = toSpans(ids, values, pieces).find(({ ids: part }) => (tokens += part.length) > peak)
  const [from, to] = [Math.max(0, peak - PEAK_BEFORE), peak + PEAK_AFTER + 1]
  return { ids: ids.subarray(from, to), values: values.subarray(from, to), token: span?.text ?? null }
}
