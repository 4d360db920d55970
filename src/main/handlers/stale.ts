/** Answers whether the files that an atlas rests on are still those that it was made of. */
import { stale, type ChangedFile } from '../../shared/contract/stale'
import type { FileKind, Sae } from '../../shared/domain'
import type { HandlersOf } from '../../shared/wire'
import { stampOf } from '../files/stamp'
import type { Services } from './services'

type Kept = { kind: FileKind; name: string; path: string; sha256: string; since: string }

/** What the library knows of the files of an atlas. */
function keptOf({ store }: Services, sae: Sae): Kept[] {
  const model = store.models.get(sae.modelId)
  const dataset = sae.atlas ? store.datasets.get(sae.atlas.datasetId) : null
  return [
    { kind: 'model', ...model, since: model.addedAt },
    { kind: 'sae', ...sae, since: sae.createdAt },
    ...(dataset ? [{ kind: 'dataset' as const, ...dataset, since: dataset.addedAt }] : []),
  ]
}

/** Whether the files are others now. They are hashed only where they were touched since they were last looked at. */
async function isChanged({ store, warm }: Services, kept: Kept, signal: AbortSignal): Promise<boolean> {
  const { kind, path, sha256, since } = kept
  const found = await stampOf(kind, path)
  // What is missing is told where it is needed; the numbers still hold.
  if (!found) return false
  const seen = store.seenFiles.get(kind, path)
  if (seen?.stamp === found.stamp) return seen.sha256 !== sha256
  const isUntouched = !seen && found.newest <= Date.parse(since)
  const now = isUntouched ? sha256 : (await warm.ask('hashFiles', { kind, path }, signal)).sha256
  store.seenFiles.put(kind, path, { stamp: found.stamp, sha256: now })
  return now !== sha256
}

export const staleHandlers = (services: Services) =>
  ({
    'atlas.changed': async ({ saeId }, signal) => {
      const changed: ChangedFile[] = []
      for (const kept of keptOf(services, services.store.saes.get(saeId))) {
        const { kind, name, path } = kept
        if (await isChanged(services, kept, signal)) changed.push({ kind, name, path })
      }
      return changed
    },
  }) satisfies HandlersOf<typeof stale>
