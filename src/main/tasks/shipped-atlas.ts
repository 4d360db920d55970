/** An atlas that lies gzipped beside an autoencoder's weights: taken instead of made where it is of exactly what was asked for. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ATLAS_FORMAT } from '../files/atlas-file'
import { writeFileAtomic } from '../files/atomic'
import { writeCorpusTokens } from '../files/corpus-tokens'
import { readDocuments } from '../files/documents'
import { parseSafetensors } from '../files/safetensors'
import { loadTokenizer } from '../engine/lm'
import { IntList } from '../engine/train/contexts'
import type { AtlasSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'

/** Its name in the autoencoder's folder. */
export const SHIPPED_ATLAS = 'atlas.safetensors.gz'

/** Whatever the numbers of an atlas depend on; kept in its file. */
export function atlasOrigin(spec: AtlasSpec, saeSha256: string): Record<string, string> {
  const { model, sae, dataset } = spec
  return {
    format: ATLAS_FORMAT,
    model_sha256: model.sha256,
    hook_name: sae.hookName,
    sae_sha256: saeSha256,
    dataset_sha256: dataset.sha256,
    dataset_reading: JSON.stringify([dataset.textField, dataset.deduplicate]),
    context_size: String(sae.contextSize),
    contexts: JSON.stringify([spec.topContexts, spec.intervalContexts]),
    seed: String(spec.seed),
  }
}

/** The atlas that came with an autoencoder; null where there is none of these very files and settings, or it cannot be read. */
export async function findShippedAtlas(spec: AtlasSpec, origin: Record<string, string>): Promise<Uint8Array | null> {
  const path = join(spec.sae.path, SHIPPED_ATLAS)
  try {
    const file = await promisify(gunzip)(await readFile(path))
    const { metadata } = parseSafetensors(path, file)
    return Object.entries(origin).every(([key, value]) => metadata[key] === value) ? file : null
  } catch {
    // Nothing is lost: the atlas is made then.
    return null
  }
}

/**
 * Writes such an atlas, and the token ids of its dataset, where a job would have written its own.
 * @returns false when it was cancelled
 * @throws AppError of the dataset, the tokenizer or the disk
 */
export async function takeShippedAtlas(spec: AtlasSpec, atlas: Uint8Array, channel: Channel): Promise<boolean> {
  const tokenizer = await loadTokenizer(spec.model.path)
  const [ids, lengths] = [new IntList(), new IntList()]
  for await (const { text } of readDocuments(spec.dataset)) {
    const encoded = await tokenizer.encode(text)
    ids.push(encoded)
    lengths.push([encoded.length])
    await giveWay()
    if (channel.isCancelled()) return false
  }
  await writeCorpusTokens(spec.tokensFile, { ids: ids.toArray(), lengths: lengths.toArray() })
  await writeFileAtomic(spec.file, atlas)
  return true
}
