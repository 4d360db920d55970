/** The atlas job: encodes a dataset once and writes the statistics and contexts of every feature into one file. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readDocuments } from '../files/documents'
import { writeAtlas } from '../files/atlas-file'
import type { AtlasWeights } from '../files/atlas-file'
import { readSaelens, sha256OfFile, WEIGHTS_FILE } from '../files/saelens'
import type { SaelensFolder } from '../files/saelens'
import { measureWeights } from '../engine/measure/feature-weights'
import { createSae } from '../engine/sae/loaded'
import type { ActivationSource } from '../engine/train/activations'
import { ESTIMATION_TOKENS } from '../engine/train/activations'
import { collectCorpus, windowCount } from '../engine/train/contexts'
import type { Corpus, TextEncoder } from '../engine/train/contexts'
import { measureScale } from '../engine/train/stream'
import { loadUnembedding } from '../engine/lm'
import type { tf } from '../engine/tf'
import { AppError } from '../../shared/errors'
import { isOnResidualStream } from '../../shared/hooks'
import type { TokenPieces } from '../../shared/token-spans'
import type { AtlasSpec } from '../jobs/messages'
import { partsFolder, planParts, sketchParts } from './atlas-parts'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { hashSettings } from './hash-files'
import { atlasOrigin, findShippedAtlas, takeShippedAtlas } from './shipped-atlas'
import { modelFor } from './sae-start'
import { openSource } from './source'

const OwnMetadata = z.object({ monoscope: z.object({ sink_norm: z.number().positive() }) })

type Reader = { source: ActivationSource; tokenizer: TextEncoder; contextSize: number }

/** The norm beyond which a token was a sink in training; null for an autoencoder of another program. */
export function sinkNormOf(sae: SaelensFolder): number | null {
  const own = OwnMetadata.safeParse(sae.metadata)
  return own.success ? own.data.monoscope.sink_norm : null
}

/** The norm beyond which a token is a sink: as in training, else measured on the first tokens of this dataset. */
export async function findSinkNorm(
  spec: Pick<AtlasSpec, 'dataset' | 'seed'>,
  sae: SaelensFolder,
  { source, tokenizer, contextSize }: Reader,
): Promise<number> {
  const own = sinkNormOf(sae)
  if (own !== null) return own
  const options = { contextSize, bosId: source.bosId, seed: spec.seed, neededTokens: ESTIMATION_TOKENS }
  return measureSinkNorm(source, await collectCorpus(readDocuments(spec.dataset), tokenizer, options), contextSize)
}

/** The norm beyond which a token is a sink in a corpus. A text of one window is all held out, so that it is measured there. */
export function measureSinkNorm(source: ActivationSource, { training, heldOut }: Corpus, contextSize: number): number {
  // Measured on nothing, the norm would make a sink of every token.
  const windows = windowCount(training) > 0 ? training : heldOut
  const order = Int32Array.from({ length: windowCount(windows) }, (_, w) => w)
  return measureScale(source, windows, { order, contextSize }).sinkNorm
}

/**
 * What the weights say; logits only where the autoencoder reads and writes the residual stream.
 * @returns null when it was cancelled
 */
async function weightsOf(
  spec: AtlasSpec,
  { sae, pieces }: { sae: SaelensFolder; pieces: TokenPieces },
  channel: Channel,
): Promise<AtlasWeights | null> {
  const onBlock = async () => {
    await giveWay()
    return !channel.isCancelled()
  }
  if (!isOnResidualStream(spec.sae.hookName)) return measureWeights({ sae, logits: null, onBlock })
  const model = await loadUnembedding(spec.model.path)
  try {
    const project = (directions: tf.Tensor2D) => model.directLogits(directions)
    const isToken = (id: number) => (pieces.offsets[id + 1] ?? 0) > (pieces.offsets[id] ?? 0)
    return await measureWeights({ sae, logits: { project, vocabulary: model.config.vocabulary, isToken }, onBlock })
  } finally {
    model.dispose()
  }
}

/**
 * Builds the atlas, or the rest of one whose job was cut off, or takes the one that came with the autoencoder.
 * @returns false when it was cancelled; no atlas is written then, finished parts stay
 * @throws AppError of model, SAE, dataset or disk
 */
export async function runAtlas(spec: AtlasSpec, channel: Channel): Promise<boolean> {
  const stored = await readSaelens(spec.sae.path)
  const origin = atlasOrigin(spec, await sha256OfFile(join(spec.sae.path, WEIGHTS_FILE)))
  const settings = {
    model: await hashSettings('model', spec.model.path),
    sae: await hashSettings('sae', spec.sae.path),
  }
  const announce = () =>
    channel.send({ type: 'atlas', atlas: { file: spec.file, tokensFile: spec.tokensFile, settings } })
  const shipped = await findShippedAtlas(spec, origin)
  if (shipped) {
    const isTaken = await takeShippedAtlas(spec, shipped, channel)
    if (isTaken) announce()
    return isTaken
  }
  const plan = await planParts(spec)
  channel.send({ type: 'progress', done: 0, total: plan.documents, tokensPerSecond: null })
  const { source, tokenizer, config } = await openSource(modelFor(spec.model, stored), spec.sae.hookName, channel)
  requireWidth(stored, source.dIn, spec.sae.path)
  const contextSize = Math.min(spec.sae.contextSize, config.contextSize)
  const sae = createSae(stored, spec.sae.path)
  try {
    const sinkNorm = await findSinkNorm(spec, stored, { source, tokenizer, contextSize })
    const { topContexts, intervalContexts, seed, segmentCharacters } = spec
    const sizes = { topContexts, intervalContexts, seed, ...(segmentCharacters && { segmentCharacters }) }
    const options = { source, tokenizer, sae, contextSize, sinkNorm, ...sizes }
    const sketch = await sketchParts(spec, { plan, options, origin }, channel)
    if (sketch === null) return false
    channel.send({ type: 'progress', done: plan.documents, total: plan.documents, tokensPerSecond: null })
    const weights = await weightsOf(spec, { sae: stored, pieces: tokenizer.pieces }, channel)
    if (weights === null) return false
    const names = { model_name: spec.model.name, dataset: spec.dataset.name, backend: channel.backend.name }
    await writeAtlas(spec.file, { ...sketch.figures(), dSae: sae.dSae, weights, origin: { ...names, ...origin } })
    announce()
    await rm(partsFolder(spec), { recursive: true, force: true })
    return true
  } finally {
    sae.dispose()
    source.dispose()
  }
}

/** @throws AppError sae-invalid when the autoencoder was trained on vectors of another width */
export function requireWidth(sae: { dIn: number }, dModel: number, path: string): void {
  if (sae.dIn === dModel) return
  throw new AppError('sae-invalid', { path, reason: `it reads ${sae.dIn} values, the model gives ${dModel}` })
}
