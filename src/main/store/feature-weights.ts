/** What the weights alone say of features: nearest features and logit weights, written with an atlas and read for one feature. */
import type { FeatureWeights, LogitToken } from '../../shared/domain'
import { toSpans, type TokenPieces } from '../../shared/token-spans'
import { float32Of, int32Of, toBlob } from './blobs'
import type { Db } from './db'
import { known } from './known-features'

/** Columns of an atlas, as files/atlas-file.ts reads them; each [dSae] or [dSae, n]. */
export type WeightColumns = {
  decoderNorm: Float32Array
  encoderCosine: Float32Array
  /** Padded with -1. */
  neighbours: Int32Array
  neighbourCosines: Float32Array
  /** `ids`: the largest logit weights from the largest down, then as many of the smallest from the smallest up; `range` [dSae, 2]. */
  logits: { ids: Int32Array; values: Float32Array; histogram: Float32Array; range: Float32Array } | null
}

type Row = {
  decoderNorm: number
  encoderCosine: number
  neighbours: Buffer
  neighbourCosines: Buffer
  logitIds: Buffer | null
  logitValues: Buffer | null
  logitHistogram: Buffer | null
  logitMin: number | null
  logitMax: number | null
}

export class FeatureWeightsStore {
  private readonly insert

  constructor(private readonly db: Db) {
    this.insert = db.prepare(
      `INSERT INTO feature_weights (atlas_id, feature_index, decoder_norm, encoder_cosine, neighbours, neighbour_cosines,
         logit_ids, logit_values, logit_histogram, logit_min, logit_max)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  /** Writes the row of feature `i`. */
  put(atlasId: number, i: number, { logits, ...weights }: WeightColumns): void {
    const dSae = weights.decoderNorm.length
    const part = <T extends Float32Array | Int32Array>(all: T) => {
      const width = all.length / dSae
      return toBlob(all.subarray(i * width, (i + 1) * width))
    }
    this.insert.run(
      ...[atlasId, i, weights.decoderNorm[i], weights.encoderCosine[i]],
      ...[part(weights.neighbours), part(weights.neighbourCosines)],
      ...(logits
        ? [part(logits.ids), part(logits.values), part(logits.histogram), logits.range[2 * i], logits.range[2 * i + 1]]
        : [null, null, null, null, null]),
    )
  }

  /** Null for a feature that is not there. */
  of(atlasId: number, featureIndex: number, pieces: TokenPieces): FeatureWeights | null {
    const row = this.db
      .prepare<[number, number], Row>(
        `SELECT decoder_norm AS decoderNorm, encoder_cosine AS encoderCosine, neighbours, neighbour_cosines AS neighbourCosines,
           logit_ids AS logitIds, logit_values AS logitValues, logit_histogram AS logitHistogram, logit_min AS logitMin,
           logit_max AS logitMax
         FROM feature_weights WHERE atlas_id = ? AND feature_index = ?`,
      )
      .get(atlasId, featureIndex)
    if (!row) return null
    const { decoderNorm, encoderCosine } = row
    const near = known(this.db, atlasId, { indexes: row.neighbours, values: row.neighbourCosines })
    const neighbours = near.map(({ value, ...feature }) => ({ ...feature, cosine: value }))
    return { decoderNorm, encoderCosine, neighbours, logits: logitsOf(row, pieces) }
  }
}

function logitsOf(row: Row, pieces: TokenPieces): FeatureWeights['logits'] {
  const { logitIds, logitValues, logitHistogram, logitMin, logitMax } = row
  if (!logitIds || !logitValues || !logitHistogram || logitMin === null || logitMax === null) return null
  const weights = float32Of(logitValues)
  const tokens = Array.from(int32Of(logitIds), (id, at): LogitToken => {
    const [span] = id < 0 ? [] : toSpans(Int32Array.of(id), Float32Array.of(0), pieces)
    return { id, text: span?.text ?? '', weight: weights[at] ?? 0 }
  })
  const isThere = ({ id }: LogitToken) => id >= 0
  return {
    top: tokens.slice(0, tokens.length / 2).filter(isThere),
    bottom: tokens.slice(tokens.length / 2).filter(isThere),
    histogram: float32Of(logitHistogram),
    ...{ min: logitMin, max: logitMax },
  }
}
