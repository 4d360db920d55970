/** What the handlers may use: the rooms of an open workspace, put together by monoscope.ts. */
import type { AppInfo } from '../../shared/contract/app'
import { AppError } from '../../shared/errors'
import type { Sae } from '../../shared/domain'
import type { AtlasText, TokenPieces } from '../../shared/token-spans'
import type { Hub } from '../hub/hub'
import type { Changes } from '../jobs/changes'
import type { JobQueue } from '../jobs/queue'
import type { WarmWorker } from '../jobs/warm-worker'
import type { Store } from '../store/store'
import type { CorpusTokensCache } from '../workspace/corpus-tokens'
import type { PiecesCache } from '../workspace/pieces'
import type { WorkspacePaths } from '../workspace/workspace'

export type ChoosePath = (what: 'modelFolder' | 'textFile' | 'exportFolder') => Promise<string | null>

export type Services = {
  version: string
  host: AppInfo['host']
  paths: WorkspacePaths
  store: Store
  queue: JobQueue
  warm: WarmWorker
  changes: Changes
  pieces: PiecesCache
  tokens: CorpusTokensCache
  hub: Hub
  /** The program's own folder with the demo, or null where it has none. */
  demoFolder: string | null
  choosePath: ChoosePath | null
}

/** Token pieces of the model an autoencoder reads. */
export const piecesOf = ({ store, pieces }: Services, sae: Sae): Promise<TokenPieces> =>
  pieces.of(store.models.get(sae.modelId).sha256)

/** What the contexts of an autoencoder's atlas are read with. @throws AppError `atlas-missing`; `ids` `atlas-text-missing` */
export async function atlasText(services: Services, sae: Sae): Promise<AtlasText> {
  if (!sae.atlas) throw new AppError('atlas-missing', { id: sae.id })
  const { store, tokens } = services
  const source = { dataset: store.datasets.get(sae.atlas.datasetId), model: store.models.get(sae.modelId) }
  const pieces = await piecesOf(services, sae)
  const ids: AtlasText['ids'] = (...place) => {
    try {
      return tokens.of(source).read(...place)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new AppError('atlas-text-missing', { id: sae.id, path: tokens.pathOf(source) }, { cause: error })
    }
  }
  return { pieces, ids }
}

/** @throws AppError `not-found` when the autoencoder has fewer features */
export function checkFeatures(sae: Sae, featureIndexes: readonly number[]): void {
  const outside = featureIndexes.find((index) => index >= sae.dSae)
  if (outside !== undefined) throw new AppError('not-found', { what: 'feature', id: outside })
}
