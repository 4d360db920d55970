/** The best neurons of each autoencoder's features, as far as they were measured. */
import { LEAST_FIRED, NeuronSummary, type BestNeuron, type NeuronMatches } from '../../shared/neurons'
import { jsonOf, toJson } from './blobs'
import type { Db } from './db'

/** The best neuron of a feature, by the feature's number. */
export type FeatureNeuron = BestNeuron & { featureIndex: number }

type Row = { layer: number | null; neuron: number | null; r: number; firedTokens: number }
type NamedRow = Row & { featureIndex: number; label: string | null; density: number; topToken: string | null }

const COLUMNS = 'found.layer, found.neuron, found.r, found.fired_tokens AS firedTokens'

const bestOf = ({ layer, neuron, r, firedTokens }: Row): BestNeuron => ({
  place: layer === null || neuron === null ? null : { layer, neuron },
  ...{ r, firedTokens },
})

export class NeuronStore {
  constructor(private readonly db: Db) {}

  /** Features that fire often enough in the atlas, ascending; none without an atlas. */
  eligible(saeId: number): number[] {
    return this.db
      .prepare<[number, number], number>(
        `SELECT feature_index FROM feature JOIN atlas ON atlas.id = feature.atlas_id
         WHERE sae_id = ? AND complete = 1 AND fired_tokens >= ? ORDER BY feature_index`,
      )
      .pluck()
      .all(saeId, LEAST_FIRED)
  }

  /** Null until they were measured. */
  summary(saeId: number): NeuronSummary | null {
    const found = this.db.prepare<[number], string>('SELECT summary FROM neuron_match WHERE sae_id = ?').pluck()
    return jsonOf(NeuronSummary, found.get(saeId) ?? null)
  }

  /** Null for a feature that was not measured. */
  ofFeature(saeId: number, featureIndex: number): BestNeuron | null {
    const row = this.db
      .prepare<[number, number], Row>(
        `SELECT ${COLUMNS} FROM feature_neuron AS found WHERE sae_id = ? AND feature_index = ?`,
      )
      .get(saeId, featureIndex)
    return row ? bestOf(row) : null
  }

  /** The features with the largest |r|, the lower number first among equals; those that the atlas does not have are left out. */
  strongest(saeId: number, limit: number): NeuronMatches['rows'] {
    return this.db
      .prepare<[number, number], NamedRow>(
        `SELECT ${COLUMNS}, feature.feature_index AS featureIndex, label, density, top_token AS topToken
         FROM feature_neuron AS found
         JOIN atlas ON atlas.sae_id = found.sae_id AND complete = 1
         JOIN feature ON feature.atlas_id = atlas.id AND feature.feature_index = found.feature_index
         WHERE found.sae_id = ? ORDER BY abs(found.r) DESC, found.feature_index LIMIT ?`,
      )
      .all(saeId, limit)
      .map(({ featureIndex, label, density, topToken, ...row }) => ({
        ...bestOf(row),
        feature: { featureIndex, label, density, topToken },
      }))
  }

  /** Replaces what was measured before. */
  put(saeId: number, summary: NeuronSummary, best: readonly FeatureNeuron[]): void {
    this.db.transaction(() => {
      this.db.prepare('DELETE FROM neuron_match WHERE sae_id = ?').run(saeId)
      this.db.prepare('INSERT INTO neuron_match (sae_id, summary) VALUES (?, ?)').run(saeId, toJson(summary))
      const insert = this.db.prepare(
        'INSERT INTO feature_neuron (sae_id, feature_index, layer, neuron, r, fired_tokens) VALUES (?, ?, ?, ?, ?, ?)',
      )
      for (const { featureIndex, place, r, firedTokens } of best) {
        insert.run(saeId, featureIndex, place?.layer ?? null, place?.neuron ?? null, r, firedTokens)
      }
    })()
  }
}
