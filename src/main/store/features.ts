/** The features of an autoencoder's atlas: list with filters, one feature with its contexts, columns for search. */
import type { ExpressionBuilder } from 'kysely'
import type { z } from 'zod'
import type { FeaturePage } from '../../shared/contract/features'
import type { Context, FeatureDetail, FeatureFilter, FeatureRow, FeatureSort, Tag } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { toSpans, type TokenPieces } from '../../shared/token-spans'
import { float32Of, int32Of } from './blobs'
import type { Db } from './db'
import { FeatureWeightsStore } from './feature-weights'
import type { LabelStore } from './labels'
import type { SafetyStore } from './safety'
import { all, queries, type Tables } from './tables'
import type { TagStore } from './tags'

export type FeatureQuery = {
  saeId: number
  filter: FeatureFilter
  sort: z.infer<typeof FeatureSort>
  descending: boolean
  offset: number
  limit: number
}

type Blobs = { featureIndex: number; histogram: Buffer; fineHistogram: Buffer; peakIds: Buffer; peakValues: Buffer }
type ContextRow = { documentIndex: number; position: number; max: number; peak: number; ids: Buffer; values: Buffer }
type AtlasRow = { id: number; total: number; alive: number }
type Parts = { labels: LabelStore; tags: TagStore; safety: SafetyStore }

const LIKE_SPECIAL = /[\\%_]/g

export class FeatureStore {
  private readonly weights: FeatureWeightsStore

  constructor(
    private readonly db: Db,
    private readonly parts: Parts,
  ) {
    this.weights = new FeatureWeightsStore(db)
  }

  /**
   * One page of the list.
   * @param pieces token pieces of the autoencoder's model
   * @throws AppError `atlas-missing`
   */
  list(query: FeatureQuery, pieces: TokenPieces): FeaturePage {
    const atlas = this.atlas(query.saeId)
    const base = queries.selectFrom('feature').where('atlas_id', '=', atlas.id).where(matches(query))
    const [counted] = all(
      this.db,
      base.select((eb) => eb.fn.countAll<number>().as('matching')),
    )
    const direction = query.descending ? 'desc' : 'asc'
    let sorted = base.selectAll()
    // Features without a label come last in either direction.
    if (query.sort === 'label') sorted = sorted.orderBy((eb) => eb('label', 'is', null)).orderBy('label', direction)
    if (query.sort === 'density') sorted = sorted.orderBy('density', direction)
    if (query.sort === 'max') sorted = sorted.orderBy('max_activation', direction)
    sorted = sorted.orderBy('feature_index', query.sort === 'index' ? direction : 'asc')
    const rows = all(this.db, sorted.limit(query.limit).offset(query.offset))
    return {
      rows: this.complete(query.saeId, rows, pieces),
      matching: counted?.matching ?? 0,
      total: atlas.total,
      alive: atlas.alive,
    }
  }

  // Here and in `blobs` CROSS JOIN makes SQLite walk the few wanted features, not all of them.

  /** Rows of chosen features, in the order asked; indexes the atlas does not have are left out. */
  rows(saeId: number, featureIndexes: readonly number[], pieces: TokenPieces): FeatureRow[] {
    const atlas = this.atlas(saeId)
    const found = this.db
      .prepare<[string, number], Tables['feature']>(
        `SELECT feature.* FROM json_each(?) AS wanted
         CROSS JOIN feature ON feature.atlas_id = ? AND feature.feature_index = wanted.value ORDER BY wanted.key`,
      )
      .all(JSON.stringify(featureIndexes), atlas.id)
    return this.complete(saeId, found, pieces)
  }

  /** @throws AppError `atlas-missing`, `not-found` */
  get(saeId: number, featureIndex: number, pieces: TokenPieces): FeatureDetail {
    const atlas = this.atlas(saeId)
    const [row] = this.rows(saeId, [featureIndex], pieces)
    const stats = this.db
      .prepare<[number, number], { mean: number }>(
        'SELECT mean_activation AS mean FROM feature WHERE atlas_id = ? AND feature_index = ?',
      )
      .get(atlas.id, featureIndex)
    const blobs = this.blobs(atlas.id, [featureIndex]).get(featureIndex)
    if (!row || !stats || !blobs) throw new AppError('not-found', { what: 'feature', id: featureIndex })
    return {
      ...row,
      meanActivation: stats.mean,
      fineHistogram: float32Of(blobs.fineHistogram),
      contexts: this.contexts(atlas.id, featureIndex, pieces),
      labels: this.parts.labels.of(saeId, featureIndex),
      safety: this.parts.safety.ofFeature(saeId, featureIndex),
      weights: this.weights.of(atlas.id, featureIndex, pieces),
    }
  }

  /** Feature indexes of the atlas in order, for exports. */
  indexes(saeId: number, which: 'alive' | 'all' | 'labelled'): number[] {
    const condition = { all: '1', alive: 'fired_tokens > 0', labelled: 'label IS NOT NULL' }[which]
    return this.db
      .prepare<[number], number>(
        `SELECT feature_index FROM feature WHERE atlas_id = ? AND ${condition} ORDER BY feature_index`,
      )
      .pluck()
      .all(this.atlas(saeId).id)
  }

  /** Largest activation and share of tokens of every feature, both [dSae]. */
  columns(saeId: number, dSae: number): { maxActivations: Float32Array; densities: Float64Array } {
    const maxActivations = new Float32Array(dSae)
    const densities = new Float64Array(dSae)
    const rows = this.db
      .prepare<[number], { i: number; max: number; density: number }>(
        'SELECT feature_index AS i, max_activation AS max, density FROM feature WHERE atlas_id = ?',
      )
      .all(this.atlas(saeId).id)
    for (const { i, max, density } of rows) {
      maxActivations[i] = max
      densities[i] = density
    }
    return { maxActivations, densities }
  }

  private atlas(saeId: number): AtlasRow {
    const row = this.db
      .prepare<[number], AtlasRow>(
        `SELECT atlas.id, sae.d_sae AS total, atlas.live_features AS alive
         FROM atlas JOIN sae ON sae.id = atlas.sae_id WHERE sae_id = ? AND complete = 1`,
      )
      .get(saeId)
    if (!row) throw new AppError('atlas-missing', { id: saeId })
    return row
  }

  private blobs(atlasId: number, featureIndexes: readonly number[]): Map<number, Blobs> {
    const rows = this.db
      .prepare<[string, number], Blobs>(
        `SELECT feature_index AS featureIndex, histogram, fine_histogram AS fineHistogram, peak_ids AS peakIds,
           peak_values AS peakValues
         FROM json_each(?) AS wanted CROSS JOIN feature_blob ON atlas_id = ? AND feature_index = wanted.value`,
      )
      .all(JSON.stringify(featureIndexes), atlasId)
    return new Map(rows.map((row) => [row.featureIndex, row]))
  }

  private complete(saeId: number, rows: Tables['feature'][], pieces: TokenPieces): FeatureRow[] {
    const indexes = rows.map((row) => row.feature_index)
    const blobs = rows[0] ? this.blobs(rows[0].atlas_id, indexes) : new Map<number, Blobs>()
    const tags = this.parts.tags.ofFeatures(saeId, indexes)
    return rows.map((row) =>
      rowOf(saeId, row, { blobs: blobs.get(row.feature_index), tags: tags.get(row.feature_index) }, pieces),
    )
  }

  private contexts(atlasId: number, featureIndex: number, pieces: TokenPieces): Context[] {
    return this.db
      .prepare<[number, number], ContextRow>(
        `SELECT document_index AS documentIndex, position, max, peak, ids, "values" FROM context
         WHERE atlas_id = ? AND feature_index = ? ORDER BY rank`,
      )
      .all(atlasId, featureIndex)
      .map((row) => contextOf(row, pieces))
  }
}

/** The filter of a query as SQL conditions on `feature`. */
function matches({ saeId, filter }: FeatureQuery) {
  return (eb: ExpressionBuilder<Tables, 'feature'>) => {
    const conditions = []
    const text = filter.text.trim()
    if (text !== '') {
      const pattern = `%${text.replace(LIKE_SPECIAL, '\\$&')}%`
      const like = (column: 'label' | 'top_token') => eb.fn<number>('like', [eb.val(pattern), column, eb.val('\\')])
      conditions.push(eb.or([eb(like('label'), '=', 1), eb(like('top_token'), '=', 1)]))
    }
    if (filter.state !== 'any') conditions.push(eb('fired_tokens', filter.state === 'alive' ? '>' : '=', 0))
    if (filter.labelled !== 'any') conditions.push(eb('label', filter.labelled === 'yes' ? 'is not' : 'is', null))
    if (filter.minDensity !== null) conditions.push(eb('density', '>=', filter.minDensity))
    if (filter.maxDensity !== null) conditions.push(eb('density', '<=', filter.maxDensity))
    for (const tagId of filter.tagIds) {
      const tagged = queries
        .selectFrom('feature_tag')
        .select('feature_index')
        .where('tag_id', '=', tagId)
        .where('sae_id', '=', saeId)
      conditions.push(eb('feature_index', 'in', tagged))
    }
    return eb.and(conditions)
  }
}

type Extras = { blobs: Blobs | undefined; tags: Tag[] | undefined }

function rowOf(saeId: number, row: Tables['feature'], { blobs, tags }: Extras, pieces: TokenPieces): FeatureRow {
  return {
    saeId,
    featureIndex: row.feature_index,
    label: row.label,
    tags: tags ?? [],
    density: row.density,
    firedTokens: row.fired_tokens,
    maxActivation: row.max_activation,
    histogram: blobs ? float32Of(blobs.histogram) : new Float32Array(0),
    peakSpans: blobs ? toSpans(int32Of(blobs.peakIds), float32Of(blobs.peakValues), pieces) : [],
    topToken: row.top_token,
  }
}

function contextOf(row: ContextRow, pieces: TokenPieces): Context {
  const spans = toSpans(int32Of(row.ids), float32Of(row.values), pieces)
  let tokens = 0
  const peak = spans.findIndex((span) => (tokens += span.ids.length) > row.peak)
  return { documentIndex: row.documentIndex, position: row.position, max: row.max, spans, peak: Math.max(0, peak) }
}
