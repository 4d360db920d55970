/**
 * The one gate for files that changed: whether model, autoencoder and text are still those that the stored figures were made of. What is read
 * from the database is told to be of the files as they were; what computes anew from files refuses others.
 */
import type { ChangedFile } from '../../shared/contract/stale'
import type { Dataset, FileKind, Model, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { stampOf, type FilePart } from '../files/stamp'
import type { Services } from './services'

/** `since` is null where files may have changed between being hashed and that being kept, as during a long job. */
type Kept = { kind: FileKind; part: FilePart; name: string; path: string; sha256: string; since: string | null }

/** Weights and text, known since they were added. */
function contentOf({ model, sae, dataset }: { model: Model; sae: Sae; dataset: Dataset | null }): Kept[] {
  const part = 'content'
  return [
    { kind: 'model', part, ...model, since: model.addedAt },
    { kind: 'sae', part, ...sae, since: sae.createdAt },
    ...(dataset ? [{ kind: 'dataset' as const, part, ...dataset, since: dataset.addedAt } as const] : []),
  ]
}

/** What is known of the files of an atlas: of weights and text since they were added, of the settings beside them since it was made. */
function keptOf({ store }: Services, sae: Sae): Kept[] {
  const model = store.models.get(sae.modelId)
  const dataset = sae.atlas ? store.datasets.get(sae.atlas.datasetId) : null
  const kept = contentOf({ model, sae, dataset })
  const settings = store.atlases.settingsOf(sae.id)
  if (!settings) return kept
  const beside = { part: 'settings' as const, since: null }
  return [
    ...kept,
    { kind: 'model', ...model, ...beside, sha256: settings.model },
    { kind: 'sae', ...sae, ...beside, sha256: settings.sae },
  ]
}

/** Whether the files are others now. They are hashed only where they were touched since they were last looked at. */
async function isChanged({ store, warm }: Services, kept: Kept, signal: AbortSignal): Promise<boolean> {
  const { kind, part, path, sha256, since } = kept
  const found = await stampOf(kind, path, part)
  // What is missing is told where it is needed; the numbers still hold.
  if (!found) return false
  const key = part === 'content' ? path : `${path} ${part}`
  const seen = store.seenFiles.get(kind, key)
  if (seen?.stamp === found.stamp) return seen.sha256 !== sha256
  const isUntouched = !seen && since !== null && found.newest <= Date.parse(since)
  const now = isUntouched ? sha256 : (await warm.ask('hashFiles', { kind, path, part }, signal)).sha256
  store.seenFiles.put(kind, key, { stamp: found.stamp, sha256: now })
  return now !== sha256
}

/** Each thing whose files are others than the stored figures were made of, once. */
export async function changedFiles(services: Services, sae: Sae, signal: AbortSignal): Promise<ChangedFile[]> {
  const changed = new Map<FileKind, ChangedFile>()
  for (const kept of keptOf(services, sae)) {
    const { kind, name, path } = kept
    if (await isChanged(services, kept, signal)) changed.set(kind, { kind, name, path })
  }
  return [...changed.values()]
}

/**
 * Before something is computed from the files of an autoencoder, its model and a text: figures of other weights would stand beside the hash
 * of the old ones.
 * @throws AppError files-changed
 */
export async function requireUnchanged(
  services: Services,
  { sae, dataset = null }: { sae: Sae; dataset?: Dataset | null },
  signal: AbortSignal,
): Promise<void> {
  const model = services.store.models.get(sae.modelId)
  for (const kept of contentOf({ model, sae, dataset })) {
    const { name, path } = kept
    if (await isChanged(services, kept, signal)) throw new AppError('files-changed', { name, path })
  }
}
