/** The map of the features of each autoencoder: places in the plane and clusters. */
import { MapParameters, type FeatureMap } from '../../shared/feature-map'
import { float32Of, int32Of, now, toBlob, toJson } from './blobs'
import type { Db } from './db'

/** A map as it is stored; how often its features fire is known by the atlas. */
export type StoredMap = Omit<FeatureMap, 'densities'>

type Row = { parameters: string; createdAt: string; features: Buffer; positions: Buffer; clusters: Buffer }

export class MapStore {
  constructor(private readonly db: Db) {}

  /** Null until one was made. */
  get(saeId: number): StoredMap | null {
    const row = this.db
      .prepare<[number], Row>(
        `SELECT parameters, created_at AS createdAt, features, positions, clusters FROM feature_map WHERE sae_id = ?`,
      )
      .get(saeId)
    if (!row) return null
    return {
      ...{ saeId, createdAt: row.createdAt, parameters: MapParameters.parse(JSON.parse(row.parameters)) },
      features: int32Of(row.features),
      positions: float32Of(row.positions),
      clusters: int32Of(row.clusters),
    }
  }

  /** Replaces the one that was there. */
  put(saeId: number, map: Omit<StoredMap, 'saeId' | 'createdAt'>): void {
    this.db
      .prepare(
        `INSERT OR REPLACE INTO feature_map (sae_id, parameters, created_at, features, positions, clusters)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[saeId, toJson(map.parameters), now()],
        ...[toBlob(map.features), toBlob(map.positions), toBlob(map.clusters)],
      )
  }
}
