/** The features of an autoencoder's atlas: list with filters, one feature with its contexts, columns for search. */
import type { FeaturePage } from '../../shared/contract/features'
import type { Context, FeatureDetail, FeatureRow, Tag } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { stretchSpans, toSpans, type AtlasText, type TokenPieces } from '../../shared/token-spans'
import { float32Of, float64Of, int32Of } from './blobs'
import { TOP, unpackContexts, type StoredContext } from './context-blob'
import type { Db } from './db'
import { isOpen, MANY, planFilter, scoreOf } from './feature-filter'
import { among, counted, indexesOf, readPage } from './feature-order'
import type { FeatureQuery } from './feature-order'
import { FeatureWeightsStore } from './feature-weights'
import { known } from './known-features'
import type { LabelStore } from './labels'
import type { ListStore } from './lists'
import type { NoteStore } from './notes'
import type { SafetyStore } from './safety'
import type { Tables } from './tables'
import type { TagStore } from './tags'

type Blobs = { featureIndex: number; histogram: Buffer; peakIds: Buffer; peakValues: Buffer }
type PageRow = {
  histogram: Buffer
  intervalWidth: number
  intervalFired: Buffer
  contexts: Buffer
  together: Buffer
  shares: Buffer
  sampled: number
}
export type FeatureFigures = Pick<
  FeatureRow,
  'featureIndex' | 'label' | 'tags' | 'topToken' | 'density' | 'maxActivation'
>
type AtlasRow = { id: number; total: number; alive: number }
type Parts = { labels: LabelStore; tags: TagStore; safety: SafetyStore; notes: NoteStore; lists: ListStore }

/** Matching features are counted up to here at first: a count needs no more to be shown. */
export const COUNTED_AT_FIRST = 10_000

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
    const { total, alive, id: atlasId } = this.atlas(query.saeId)
    const { filter, offset, limit } = query
    const plan = planFilter(this.db, { saeId: query.saeId, atlasId, filter })
    if (plan.few && !plan.isExact) {
      const found = indexesOf(this.db, among(plan.few, plan, query))
      const rows = this.rows(query.saeId, found.slice(offset, offset + limit), pieces)
      return { rows, matching: found.length, isMore: false, total, alive }
    }
    const indexes = plan.few
      ? indexesOf(this.db, among(plan.few, plan, query).limit(limit).offset(offset))
      : readPage(this.db, plan, { ...query, total })
    const rows = this.rows(query.saeId, indexes, pieces)
    if (isOpen(filter)) return { rows, matching: total, isMore: false, total, alive }
    // A first page that is not full has them all.
    const isWhole = offset === 0 && indexes.length < limit
    const found = isWhole ? indexes.length : plan.isMany ? MANY : counted(this.db, plan, COUNTED_AT_FIRST + 1)
    const isMore = found > COUNTED_AT_FIRST
    return { rows, matching: isMore ? COUNTED_AT_FIRST : found, isMore, total, alive }
  }

  /** Features that match a filter. @throws AppError `atlas-missing` */
  count({ saeId, filter }: Pick<FeatureQuery, 'saeId' | 'filter'>): number {
    return counted(this.db, planFilter(this.db, { saeId, atlasId: this.atlas(saeId).id, filter }))
  }

  // Here and in `blobs` CROSS JOIN makes SQLite walk the few wanted features, not all of them.

  /** Rows of chosen features, in the order asked; indexes the atlas does not have are left out. */
  rows(saeId: number, featureIndexes: readonly number[], pieces: TokenPieces): FeatureRow[] {
    return this.complete(saeId, this.plainRows(saeId, featureIndexes), pieces)
  }

  /** @throws AppError `atlas-missing`, `not-found`; of the file with the corpus's token ids */
  get(saeId: number, featureIndex: number, text: AtlasText): FeatureDetail {
    const atlas = this.atlas(saeId)
    const [row] = this.rows(saeId, [featureIndex], text.pieces)
    const page = this.pageOf(atlas.id, featureIndex)
    const weights = this.weights.of(atlas.id, featureIndex, text.pieces)
    if (!row || !page || !weights) {
      throw new AppError('not-found', { what: 'feature', id: featureIndex })
    }
    const contexts = unpackContexts(page.contexts)
    return {
      ...row,
      fineHistogram: float32Of(page.histogram),
      contexts: contexts.filter(({ interval }) => interval === TOP).map((context) => contextOf(context, text)),
      intervals: intervalsOf(page, contexts, { max: row.maxActivation, text }),
      together: {
        sampledTokens: page.sampled,
        features: known(this.db, atlas.id, { indexes: page.together, values: page.shares }).map(
          ({ value, ...feature }) => ({ ...feature, share: value }),
        ),
      },
      labels: this.parts.labels.of(saeId, featureIndex),
      notes: this.parts.notes.of(saeId, featureIndex),
      lists: this.parts.lists.ofFeature(saeId, featureIndex),
      safety: this.parts.safety.ofFeature(saeId, featureIndex),
      weights,
    }
  }

  /** The figures of some features, in the order asked, without what a row of a list shows beside them. @throws AppError `atlas-missing` */
  figures(saeId: number, featureIndexes: readonly number[]): FeatureFigures[] {
    const tags = this.parts.tags.ofFeatures(saeId, featureIndexes)
    return this.plainRows(saeId, featureIndexes).map((row) => ({
      ...{ featureIndex: row.feature_index, label: row.label, tags: tags.get(row.feature_index) ?? [] },
      ...{ topToken: row.top_token, density: row.density, maxActivation: row.max_activation },
    }))
  }

  /** Feature indexes of the atlas in order. @throws AppError `atlas-missing` */
  indexes(saeId: number, which: 'alive' | 'silent' | 'all' | 'labelled'): number[] {
    const conditions = {
      all: '1',
      alive: 'fired_tokens > 0',
      silent: 'fired_tokens = 0',
      labelled: 'label IS NOT NULL',
    }
    const condition = conditions[which]
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

  private plainRows(saeId: number, featureIndexes: readonly number[]): Tables['feature'][] {
    return this.db
      .prepare<[string, number], Tables['feature']>(
        `SELECT feature.* FROM json_each(?) AS wanted
         CROSS JOIN feature ON feature.atlas_id = ? AND feature.feature_index = wanted.value ORDER BY wanted.key`,
      )
      .all(JSON.stringify(featureIndexes), this.atlas(saeId).id)
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
        `SELECT feature_index AS featureIndex, histogram, peak_ids AS peakIds, peak_values AS peakValues
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

  private pageOf(atlasId: number, featureIndex: number): PageRow | undefined {
    return this.db
      .prepare<[number, number], PageRow>(
        `SELECT histogram, interval_width AS intervalWidth, interval_fired AS intervalFired, contexts, together,
           together_shares AS shares, together_sampled AS sampled
         FROM feature_page WHERE atlas_id = ? AND feature_index = ?`,
      )
      .get(atlasId, featureIndex)
  }
}

type Extras = { blobs: Blobs | undefined; tags: Tag[] | undefined }

function rowOf(saeId: number, row: Tables['feature'], { blobs, tags }: Extras, pieces: TokenPieces): FeatureRow {
  return {
    saeId,
    featureIndex: row.feature_index,
    label: row.label,
    score: scoreOf(row.marks),
    tags: tags ?? [],
    density: row.density,
    firedTokens: row.fired_tokens,
    maxActivation: row.max_activation,
    meanActivation: row.mean_activation,
    histogram: blobs ? float32Of(blobs.histogram) : new Float32Array(0),
    peakSpans: blobs ? toSpans(int32Of(blobs.peakIds), float32Of(blobs.peakValues), pieces) : [],
    topToken: row.top_token,
  }
}

function contextOf({ marked, value, values, ...stretch }: StoredContext, text: AtlasText): Context {
  const { spans, start } = stretchSpans(text, stretch, values)
  const position = stretch.start + marked
  let tokens = start
  const peak = spans.findIndex((span) => (tokens += span.ids.length) > position)
  return { documentIndex: stretch.document, position, start, value, spans, peak: Math.max(0, peak) }
}

/** From the interval that the largest activation lies in down to the one at 0. */
function intervalsOf(
  { intervalWidth: width, intervalFired }: PageRow,
  contexts: readonly StoredContext[],
  { max, text }: { max: number; text: AtlasText },
): FeatureDetail['intervals'] {
  const fired = float64Of(intervalFired)
  return Array.from(fired, (firedTokens, interval) => ({
    ...{ from: interval * width, to: Math.min(max, (interval + 1) * width), firedTokens },
    contexts: contexts.filter((context) => context.interval === interval).map((context) => contextOf(context, text)),
  }))
    .filter(({ from }) => width > 0 && from <= max)
    .toReversed()
}
