/** The evaluation job: judges an autoencoder on held-out text with the whole model. */
import { readDocuments } from '../files/documents'
import { readSaelens } from '../files/saelens'
import { checkModel, loadModel, loadTokenizer } from '../engine/lm'
import { Reconstruction } from '../engine/measure/reconstruction'
import type { ReconstructionFigures } from '../engine/measure/reconstruction'
import { Splice } from '../engine/measure/splice'
import { decoderNorms } from '../engine/sae/fold'
import { createSae } from '../engine/sae/loaded'
import type { Sae } from '../engine/sae/loaded'
import { ESTIMATION_TOKENS, modelSource, walkWindows } from '../engine/train/activations'
import type { ActivationSource } from '../engine/train/activations'
import { collectCorpus, pickWindows, textTokens, windowCount } from '../engine/train/contexts'
import type { Windows } from '../engine/train/contexts'
import { tf } from '../engine/tf'
import { AppError } from '../../shared/errors'
import { HELD_OUT_SHARE } from '../../shared/held-out'
import type { EvaluateSpec } from '../jobs/messages'
import { measureSinkNorm, requireWidth, sinkNormOf } from './atlas'
import type { Channel } from './channel'
import { giveWay } from './channel'

/** Tokens looked at: four passes of the whole model over each. */
const TOKENS = 16_384

const range = (count: number) => Array.from({ length: count }, (_, w) => w)

/** Windows until there are tokens enough. */
function firstWindows(windows: Windows): Windows {
  let tokens = 0
  const picked = range(windowCount(windows)).filter((w) => {
    if (tokens >= TOKENS) return false
    tokens += (windows.offsets[w + 1] ?? 0) - (windows.offsets[w] ?? 0)
    return true
  })
  return pickWindows(windows, picked)
}

type Reader = { source: ActivationSource; windows: Windows; contextSize: number; sinkNorm: number; sae: Sae }

/** Reconstructs every text token that is no sink. @returns false when it was cancelled */
async function reconstructAll(
  { source, windows, contextSize, sinkNorm, sae }: Reader,
  into: Reconstruction,
  channel: Channel,
): Promise<boolean> {
  const { dIn } = sae
  for (const { vectors, norms } of walkWindows(source, windows, { order: range(windowCount(windows)), contextSize })) {
    const kept = range(norms.length).filter((t) => (norms[t] ?? 0) <= sinkNorm)
    if (kept.length === 0) continue
    const saeIn = new Float32Array(kept.length * dIn)
    kept.forEach((t, row) => saeIn.set(vectors.subarray(t * dIn, (t + 1) * dIn), row * dIn))
    const codes = tf.tidy(() => {
      const featureActs = sae.encode(tf.tensor2d(saeIn, [kept.length, dIn]))
      return { featureActs, saeOut: sae.decode(featureActs) }
    })
    const [featureActs, saeOut] = [codes.featureActs.dataSync<'float32'>(), codes.saeOut.dataSync<'float32'>()]
    tf.dispose(codes)
    into.add({ saeIn, saeOut, featureActs, tokens: kept.length })
    await giveWay()
    if (channel.isCancelled()) return false
  }
  return true
}

/** @returns false when it was cancelled */
async function spliceAll(
  { source, windows, contextSize, sinkNorm }: Reader,
  splice: Splice,
  channel: Channel,
): Promise<boolean> {
  const total = windowCount(windows)
  const skipped = source.bosId === null ? 0 : 1
  for (const { window, norms } of walkWindows(source, windows, { order: range(total), contextSize })) {
    const ids = windows.ids.slice(windows.offsets[window], windows.offsets[window + 1])
    const replaced = Uint8Array.from(ids, (_, t) => (t >= skipped && (norms[t - skipped] ?? 0) <= sinkNorm ? 1 : 0))
    splice.add(ids, replaced)
    channel.send({ type: 'progress', done: window + 1, total, tokensPerSecond: null })
    await giveWay()
    if (channel.isCancelled()) return false
  }
  return true
}

async function openReader(spec: EvaluateSpec) {
  const stored = await readSaelens(spec.sae.path)
  const { config, weights } = await checkModel(spec.model.path)
  await weights.close()
  requireWidth(stored, config.dModel, spec.sae.path)
  const tokenizer = await loadTokenizer(spec.model.path, config.vocabulary)
  const { bosId } = tokenizer
  const contextSize = Math.min(spec.sae.contextSize, config.contextSize)
  const options = {
    contextSize,
    bosId,
    seed: spec.seed,
    neededTokens: Math.max(TOKENS / HELD_OUT_SHARE, ESTIMATION_TOKENS),
  }
  const corpus = await collectCorpus(readDocuments(spec.dataset), tokenizer, options)
  const windows = firstWindows(windowCount(corpus.heldOut) > 0 ? corpus.heldOut : corpus.training)
  if (textTokens(windows, tokenizer) === 0) throw new AppError('dataset-empty', { path: spec.dataset.path })
  const model = await loadModel(spec.model.path)
  const source = modelSource(model, spec.sae.hookName, tokenizer)
  const sinkNorm = sinkNormOf(stored) ?? measureSinkNorm(source, corpus, contextSize)
  return { stored, model, reader: { source, windows, contextSize, sinkNorm, sae: createSae(stored, spec.sae.path) } }
}

/** @throws AppError sae-invalid, activations-constant when a figure would be no finite number */
function requireSense({ normalisedMse, explainedVariance, tokens }: ReconstructionFigures, spec: EvaluateSpec): void {
  const { path, hookName } = spec.sae
  if (!Number.isFinite(normalisedMse)) {
    throw new AppError('sae-invalid', { path, reason: 'its reconstructions are no finite numbers' })
  }
  if (!Number.isFinite(explainedVariance)) throw new AppError('activations-constant', { hookName, tokens })
}

/**
 * Evaluates an autoencoder on text that was held out of its training: documents picked by the seed it was trained with.
 * @returns false when it was cancelled
 * @throws AppError of model, SAE or dataset; activations-constant
 */
export async function runEvaluation(spec: EvaluateSpec, channel: Channel): Promise<boolean> {
  const { stored, model, reader } = await openReader(spec)
  const { sae, source } = reader
  try {
    const bDec = stored.weights.bDec?.data ?? new Float32Array(sae.dIn)
    const reconstruction = new Reconstruction(bDec, decoderNorms(stored.weights))
    channel.send({ type: 'progress', done: 0, total: windowCount(reader.windows), tokensPerSecond: null })
    if (!(await reconstructAll(reader, reconstruction, channel))) return false
    const figures = reconstruction.figures()
    requireSense(figures, spec)
    const splice = new Splice({
      ...{ model, hookName: spec.sae.hookName, mean: reconstruction.mean() },
      reconstruct: (saeIn) => tf.tidy(() => sae.decode(sae.encode(saeIn))),
    })
    if (!(await spliceAll(reader, splice, channel))) return false
    const origin = { datasetName: spec.dataset.name, evaluatedAt: new Date().toISOString() }
    channel.send({ type: 'evaluated', quality: { ...figures, ...splice.figures(), ...origin } })
    return true
  } finally {
    sae.dispose()
    source.dispose()
  }
}
