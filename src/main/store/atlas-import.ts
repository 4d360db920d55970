/**
 * Brings an atlas into the database. Many short transactions keep the program answering; the last one makes the new atlas the
 * visible one and hides the old, which is dropped then, so that readers see either of them whole. Labels, tags and flags are not touched.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toSpans, toText, type AtlasText } from '../../shared/token-spans'
import { dropAtlas, hiddenAtlases } from './atlas-drop'
import { now, toBlob } from './blobs'
import { packContexts, TOP, unpackContexts, type ContextColumns } from './context-blob'
import type { Db } from './db'
import { FeatureWeightsStore } from './feature-weights'
import type { WeightColumns } from './feature-weights'
import { indexedText } from './search-text'

/** Columns of an atlas, as files/atlas-file.ts reads them. */
export type AtlasColumns = {
  tokens: number
  documents: number
  /** Left out. */
  bosTokens: number
  sinkTokens: number
  dSae: number
  /** [dSae] */
  fired: Float64Array
  sum: Float64Array
  max: Float32Array
  /** [dSae, bins], counts of non-zero activations in equal bins from 0 to `max`. */
  histogram: Float32Array
  /** [dSae], and [dSae, intervals] activations in equal intervals of that width. */
  intervalWidth: Float32Array
  intervalFired: Float64Array
  /** Of each feature the strongest first. */
  contexts: ContextColumns
  /** [dSae, n] features that are active on its tokens, padded with -1, and on which share; [dSae] tokens that were sampled. */
  together: { indexes: Int32Array; shares: Float32Array; sampled: Int32Array }
  weights: WeightColumns
}

/** Divides the 50 bins of the atlas, so that every count stays one. */
const SMALL_BINS = 25
/** Features of one transaction: some 40 ms, during which nothing else is answered. */
const CHUNK_FEATURES = 32
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
  private readonly insertPage
  private readonly insertText
  private readonly insertBox
  private readonly weights: FeatureWeightsStore

  constructor(private readonly db: Db) {
    this.weights = new FeatureWeightsStore(db)
    // What people said before is copied here; what they say from now on, the triggers of migration 0005 copy.
    this.insertFeature = db.prepare(
      `INSERT INTO feature (atlas_id, feature_index, fired_tokens, density, max_activation, mean_activation, top_token, label, marks)
       SELECT @atlasId, @index, @fired, @density, @max, @mean, @topToken, chosen.text,
         (chosen.text IS NOT NULL) + ((ifnull(chosen.score, -1) + 1) << 3)
         + 2 * EXISTS (SELECT 1 FROM feature_tag WHERE sae_id = @saeId AND feature_index = @index)
         + 4 * EXISTS (SELECT 1 FROM safety_flag WHERE sae_id = @saeId AND feature_index = @index)
       FROM (SELECT 1) LEFT JOIN label AS chosen ON chosen.sae_id = @saeId AND chosen.feature_index = @index AND chosen.chosen = 1`,
    )
    this.insertBlobs = db.prepare(
      'INSERT INTO feature_blob (atlas_id, feature_index, histogram, peak_ids, peak_values) VALUES (?, ?, ?, ?, ?)',
    )
    this.insertPage = db.prepare(
      `INSERT INTO feature_page (atlas_id, feature_index, histogram, interval_width, interval_fired, contexts, together,
         together_shares, together_sampled)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.insertBox = db.prepare(
      'INSERT INTO feature_box VALUES (@id, @atlasId, @atlasId, @density, @density, @max, @max, @mean, @mean)',
    )
    this.insertText = db.prepare('INSERT INTO context_text (rowid, text) VALUES (?, ?)')
  }

  /** Replaces the atlas of an autoencoder. When it fails the old one stays. */
  async run(source: AtlasSource, atlas: AtlasColumns, text: AtlasText): Promise<void> {
    const live = atlas.fired.reduce((count, fired) => count + (fired > 0 ? 1 : 0), 0)
    const { tokens, documents, bosTokens, sinkTokens } = atlas
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO atlas (sae_id, dataset_id, tokens, documents, bos_tokens, sink_tokens, live_features, complete, built_at,
           model_settings, sae_settings)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
      )
      .run(
        ...[source.saeId, source.datasetId, tokens, documents, bosTokens, sinkTokens, live, now()],
        ...[source.settings?.model ?? null, source.settings?.sae ?? null],
      )
    const atlasId = Number(lastInsertRowid)
    let replaced: number[]
    try {
      for (let from = 0, row = 0; from < atlas.dSae; from += CHUNK_FEATURES) {
        row = this.db.transaction(() => this.chunk({ ...source, atlasId }, { atlas, text, from, row }))()
        await nextTurn()
      }
      replaced = this.show(atlasId, source.saeId)
    } catch (error) {
      // What cannot be deleted now, on a full disk for instance, is deleted at the next start.
      await dropAtlas(this.db, atlasId).catch(() => undefined)
      throw error
    }
    for (const id of replaced) await dropAtlas(this.db, id)
  }

  /** What the files beside the weights were when the atlas of an autoencoder was made; null where that is not known. */
  settingsOf(saeId: number): AtlasSettings | null {
    const found = this.db
      .prepare<[number], { model: string | null; sae: string | null }>(
        'SELECT model_settings AS model, sae_settings AS sae FROM atlas WHERE sae_id = ? AND complete = 1',
      )
      .get(saeId)
    return found?.model && found.sae ? { model: found.model, sae: found.sae } : null
  }

  /** Removes what a killed process left of an import, or of an atlas that it was deleting. */
  async dropHidden(): Promise<void> {
    for (const id of hiddenAtlases(this.db)) await dropAtlas(this.db, id)
  }

  /** Writes features [from, from + chunk), whose contexts begin at row `row`; returns the row of the next one's. */
  private chunk(
    { saeId, atlasId }: AtlasSource & { atlasId: number },
    at: { atlas: AtlasColumns; text: AtlasText; from: number; row: number },
  ): number {
    const { atlas, from, text } = at
    let row = at.row
    for (let i = from; i < Math.min(from + CHUNK_FEATURES, atlas.dSae); i++) {
      const first = row
      while (atlas.contexts.feature[row] === i) row += 1
      const found = readContexts(atlas, [first, row], text)
      const fired = atlas.fired[i] ?? 0
      const [density, max] = [atlas.tokens > 0 ? fired / atlas.tokens : 0, atlas.max[i] ?? 0]
      const mean = fired > 0 ? (atlas.sum[i] ?? 0) / fired : 0
      const id = (BigInt(atlasId) << 32n) + BigInt(i)
      this.insertFeature.run({ atlasId, saeId, index: i, fired, density, max, mean, topToken: found.token })
      this.insertBox.run({ id, atlasId, density, max, mean })
      this.putBlobs(atlasId, i, { atlas, contexts: packContexts(atlas.contexts, first, row), peak: found })
      if (found.text !== '') this.insertText.run(id, indexedText(found.text))
      this.weights.put(atlasId, i, atlas.weights)
    }
    return row
  }

  private putBlobs(
    atlasId: number,
    i: number,
    {
      atlas,
      contexts,
      peak,
    }: { atlas: AtlasColumns; contexts: Buffer; peak: { ids: Int32Array; values: Float32Array } },
  ): void {
    const { intervalFired, intervalWidth, together, dSae } = atlas
    const part = (all: Float32Array | Float64Array | Int32Array) => {
      const width = all.length / dSae
      return toBlob(all.subarray(i * width, (i + 1) * width))
    }
    const bins = atlas.histogram.length / dSae
    const histogram = atlas.histogram.subarray(i * bins, (i + 1) * bins)
    this.insertBlobs.run(...[atlasId, i, toBlob(rebin(histogram, SMALL_BINS)), toBlob(peak.ids), toBlob(peak.values)])
    this.insertPage.run(
      ...[atlasId, i, toBlob(histogram), intervalWidth[i] ?? 0, part(intervalFired), contexts],
      ...[part(together.indexes), part(together.shares), together.sampled[i] ?? 0],
    )
  }

  /** @returns the atlases that are no longer seen */
  private show(atlasId: number, saeId: number): number[] {
    return this.db.transaction(() => {
      const hide = this.db.prepare<[number, number], { id: number }>(
        'UPDATE atlas SET complete = 0 WHERE sae_id = ? AND id <> ? RETURNING id',
      )
      const hidden = hide.all(saeId, atlasId).map(({ id }) => id)
      this.db.prepare('UPDATE atlas SET complete = 1 WHERE id = ?').run(atlasId)
      return hidden
    })()
  }
}

/** Hashes of the files beside the weights. */
export type AtlasSettings = { model: string; sae: string }
type AtlasSource = { saeId: number; datasetId: number; settings?: AtlasSettings }
type Found = { ids: Int32Array; values: Float32Array; token: string | null; text: string }

/** What the strongest contexts, the first of rows [first, end), say: all their text, and the tokens around the very strongest. */
function readContexts({ contexts }: AtlasColumns, [first, end]: [number, number], text: AtlasText): Found {
  const idsOf = (row: number) =>
    text.ids(contexts.document[row] ?? 0, contexts.start[row] ?? 0, contexts.length[row] ?? 0)
  const texts: string[] = []
  for (let row = first; row < end && contexts.interval[row] === TOP; row++) {
    texts.push(toText(idsOf(row), text.pieces))
  }
  if (texts.length === 0) return { ids: new Int32Array(0), values: new Float32Array(0), token: null, text: '' }
  const [{ values } = { values: new Float32Array(0) }] = unpackContexts(packContexts(contexts, first, first + 1))
  const ids = idsOf(first)
  const peak = contexts.marked[first] ?? 0
  let tokens = 0
  const span = toSpans(ids, values, text.pieces).find(({ ids: part }) => (tokens += part.length) > peak)
  const [from, to] = [Math.max(0, peak - PEAK_BEFORE), peak + PEAK_AFTER + 1]
  return {
    ...{ ids: ids.slice(from, to), values: values.slice(from, to) },
    ...{ token: span?.text ?? null, text: texts.join('\n') },
  }
}
