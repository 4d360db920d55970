/** Rows of autoencoders; their weights are SAELens folders, paths inside the workspace are stored relative to it. */
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { Backend, Sae, SaeQuality, SaeSummary } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { jsonOf, now, toJson } from './blobs'
import type { Db } from './db'
import { freeId } from './free-id'

export type NewSae = Omit<Sae, 'id' | 'modelName' | 'quality' | 'atlas' | 'createdAt'>

type Row = Omit<Sae, 'partial' | 'summary' | 'quality' | 'backend' | 'atlas'> & {
  partial: number
  summary: string | null
  quality: string | null
  backend: string | null
} & AtlasColumns

type AtlasColumns = {
  atlasDatasetId: number | null
  atlasDatasetName: string
  atlasTokens: number
  atlasDocuments: number
  atlasBos: number
  atlasSinks: number
  atlasLive: number
  atlasBuiltAt: string
}

const SELECT = `
  SELECT sae.id, sae.name, sae.run_id AS runId, sae.model_id AS modelId, model.name AS modelName, sae.hook_name AS hookName,
    sae.architecture, sae.d_in AS dIn, sae.d_sae AS dSae, sae.context_size AS contextSize, sae.path, sae.sha256, sae.partial,
    sae.summary, sae.quality, sae.backend, sae.seed, sae.created_at AS createdAt, atlas.dataset_id AS atlasDatasetId,
    dataset.name AS atlasDatasetName, atlas.tokens AS atlasTokens, atlas.documents AS atlasDocuments,
    atlas.bos_tokens AS atlasBos, atlas.sink_tokens AS atlasSinks, atlas.live_features AS atlasLive, atlas.built_at AS atlasBuiltAt
  FROM sae
  JOIN model ON model.id = sae.model_id
  LEFT JOIN atlas ON atlas.sae_id = sae.id AND atlas.complete = 1
  LEFT JOIN dataset ON dataset.id = atlas.dataset_id`

function atlasOf(columns: AtlasColumns): Sae['atlas'] {
  if (columns.atlasDatasetId === null) return null
  return {
    datasetId: columns.atlasDatasetId,
    datasetName: columns.atlasDatasetName,
    tokens: columns.atlasTokens,
    documents: columns.atlasDocuments,
    bosTokens: columns.atlasBos,
    sinkTokens: columns.atlasSinks,
    liveFeatures: columns.atlasLive,
    builtAt: columns.atlasBuiltAt,
  }
}

export class SaeStore {
  constructor(
    private readonly db: Db,
    private readonly folder: string,
  ) {}

  /** Newest first. */
  list(): Sae[] {
    return this.db
      .prepare<[], Row>(`${SELECT} ORDER BY sae.id DESC`)
      .all()
      .map((row) => this.saeOf(row))
  }

  /** @throws AppError `not-found` */
  get(id: number): Sae {
    const row = this.db.prepare<[number], Row>(`${SELECT} WHERE sae.id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'SAE', id })
    return this.saeOf(row)
  }

  /** The autoencoder of a run, or null before its first checkpoint. */
  ofRun(runId: number): Sae | null {
    const row = this.db.prepare<[number], Row>(`${SELECT} WHERE sae.run_id = ?`).get(runId)
    return row ? this.saeOf(row) : null
  }

  /**
   * Adds the autoencoder of a run or replaces what its last checkpoint said. An atlas, a map, best neurons and an evaluation of
   * other weights are dropped, labels stay.
   */
  put(sae: NewSae): Sae {
    return this.db.transaction(() => {
      const before = sae.runId === null ? null : this.ofRun(sae.runId)
      if (before && before.sha256 !== sae.sha256) {
        this.db.prepare('DELETE FROM atlas WHERE sae_id = ?').run(before.id)
        this.db.prepare('DELETE FROM feature_map WHERE sae_id = ?').run(before.id)
        this.db.prepare('DELETE FROM neuron_match WHERE sae_id = ?').run(before.id)
        this.db.prepare('UPDATE sae SET quality = NULL WHERE id = ?').run(before.id)
      }
      const values = {
        ...sae,
        id: freeId(this.db, 'sae', join(this.folder, 'saes')),
        path: this.stored(sae.path),
        partial: sae.partial ? 1 : 0,
        summary: toJson(sae.summary),
        backend: toJson(sae.backend),
        createdAt: now(),
      }
      this.db
        .prepare(
          `INSERT INTO sae (id, name, run_id, model_id, hook_name, architecture, d_in, d_sae, context_size, path, sha256, partial,
             summary, backend, seed, created_at)
           VALUES (@id, @name, @runId, @modelId, @hookName, @architecture, @dIn, @dSae, @contextSize, @path, @sha256, @partial,
             @summary, @backend, @seed, @createdAt)
           ON CONFLICT (run_id) DO UPDATE SET path = @path, sha256 = @sha256, partial = @partial, d_in = @dIn, d_sae = @dSae,
             summary = @summary, backend = @backend`,
        )
        .run(values)
      return this.get(before?.id ?? values.id)
    })()
  }

  /** What an evaluation found. */
  setQuality(id: number, quality: SaeQuality): void {
    this.db.prepare('UPDATE sae SET quality = ? WHERE id = ?').run(toJson(quality), id)
  }

  private stored(path: string): string {
    const inside = relative(this.folder, path)
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside.split(sep).join('/')
  }

  private saeOf(row: Row): Sae {
    const { atlasDatasetId, atlasDatasetName, atlasTokens, atlasDocuments, ...rest } = row
    const { atlasBos, atlasSinks, atlasLive, atlasBuiltAt, ...own } = rest
    const counts = { atlasTokens, atlasDocuments, atlasBos, atlasSinks, atlasLive }
    return {
      ...own,
      path: resolve(this.folder, own.path),
      partial: own.partial === 1,
      summary: jsonOf(SaeSummary, own.summary),
      quality: jsonOf(SaeQuality, own.quality),
      backend: jsonOf(Backend, own.backend),
      atlas: atlasOf({ atlasDatasetId, atlasDatasetName, atlasBuiltAt, ...counts }),
    }
  }
}
