/** The hash of a model, an autoencoder or a text as it is on disk now, by the same rules as when it was added. */
import { join } from 'node:path'
import { hashDataset } from '../files/documents'
import { sha256OfFile, sha256OfFiles, WEIGHTS_FILE } from '../files/saelens'
import { openWeights } from '../engine/lm/weights'
import type { Requests } from '../jobs/messages'

/** @throws AppError of the files */
export async function hashFiles(
  { kind, path }: Requests['hashFiles']['ask'],
  signal: AbortSignal,
): Promise<Requests['hashFiles']['answer']> {
  if (kind === 'sae') return { sha256: await sha256OfFile(join(path, WEIGHTS_FILE)) }
  if (kind === 'dataset') return { sha256: await hashDataset(path, signal) }
  const weights = await openWeights(path)
  await weights.close()
  return { sha256: await sha256OfFiles(weights.files) }
}
