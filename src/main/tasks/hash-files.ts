/** The hash of a model, an autoencoder or a text as it is on disk now, by the same rules as when it was added, or of the settings beside it. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { hashDataset } from '../files/documents'
import { sha256OfFile, sha256OfFiles, WEIGHTS_FILE } from '../files/saelens'
import { openWeights } from '../engine/lm/weights'
import { settingsFiles } from '../files/stamp'
import type { Requests } from '../jobs/messages'
import type { FileKind } from '../../shared/domain'

/** One hash for the small files beside weights that say how they are read. */
export async function hashSettings(kind: FileKind, path: string): Promise<string> {
  const hash = createHash('sha256')
  for (const file of await settingsFiles(kind, path)) hash.update(`${basename(file)} ${await sha256OfFile(file)}\n`)
  return hash.digest('hex')
}

/** @throws AppError of the files */
export async function hashFiles(
  { kind, path, part }: Requests['hashFiles']['ask'],
  signal: AbortSignal,
): Promise<Requests['hashFiles']['answer']> {
  if (part === 'settings') return { sha256: await hashSettings(kind, path) }
  if (kind === 'sae') return { sha256: await sha256OfFile(join(path, WEIGHTS_FILE)) }
  if (kind === 'dataset') return { sha256: await hashDataset(path, signal) }
  const weights = await openWeights(path)
  await weights.close()
  return { sha256: await sha256OfFiles(weights.files) }
}
