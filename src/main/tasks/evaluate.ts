/** The evaluation job: judges an autoencoder on held-out text with the whole model. */
import { z } from 'zod'
import { readDocuments } from '../files/documents'
import { readSaelens } from '../files/saelens'
import type { SaelensFolder } from '../files/saelens'
import { checkModel, cutAt, loadModel, loadTokenizer } from '../engine/lm'
import type { LanguageModel } from '../engine/lm'
import { Reconstruction } from '../engine/measure/reconstruction'
import type { ReconstructionFigures } from '../engine/measure/reconstruction'
import { Splice } from '../engine/measure/splice'
import type { SplicedText } from '../engine/measure/splice'
import { decoderNorms } from '../engine/sae/fold'
import { createSae } from '../engine/sae/loaded'
import type { Sae } from '../engine/sae/loaded'
import { ESTIMATION_TOKENS, modelHooks, modelSource, walkHooks } from '../engine/train/activations'
import type { HookActivations, HookSource, WindowActivations } from '../engine/train/activations'
import { collectCorpus, pickWindows, textTokens, windowCount } from '../engine/train/contexts'
import type { Windows } from '../engine/train/contexts'
import { tf } from '../engine/tf'
import { AppError } from '../../shared/errors'
import { HELD_OUT_SHARE, HeldOutRule } from '../../shared/held-out'
import type { EvaluateSpec } from '../jobs/messages'
import { measureSinkNorm, requireWidth, sinkNormOf } from './atlas'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { startFor } from './sae-start'

/** Tokens looked at: their vectors at the hook are held between the two passes, and the rest of the model runs four times over each. */
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

type Reader = {
  model: LanguageModel
  source: HookSource
  windows: Windows
  contextSize: number
  sinkNorm: number
  sae: Sae
}

/**
 * Reconstructs every text token that is no sink, in the one pass of the model up to the hook.
 * @returns what the rest of the model is run from, a text for each window; null when it was cancelled
 */
async function reconstructAll(
  { source, windows, contextSize, sinkNorm, sae }: Reader,
  into: Reconstruction,
  channel: Channel,
): Promise<SplicedText[] | null> {
  const { dIn } = sae
  const texts: SplicedText[] = []
  const walk = { order: range(windowCount(windows)), contextSize, withBos: true }
  for (const found of walkHooks(source, windows, walk)) {
    const { window, vectors, norms } = atHook(found)
    const replaced = Uint8Array.from(norms, (norm) => (norm <= sinkNorm ? 1 : 0))
    const ids = windows.ids.slice(windows.offsets[window], windows.offsets[window + 1])
    texts.push({ ids, replaced, values: found.map((one) => one.vectors) })
    const kept = range(norms.length).filter((t) => replaced[t] === 1)
    if (kept.length > 0) {
      const saeIn = new Float32Array(kept.length * dIn)
      kept.forEach((t, row) => saeIn.set(vectors.subarray(t * dIn, (t + 1) * dIn), row * dIn))
      into.add({ saeIn, ...codesOf(sae, saeIn), tokens: kept.length })
    }
    await giveWay()
    if (channel.isCancelled()) return null
  }
  return texts
}

/** The last hook of a source is the autoencoder's. */
function atHook(found: HookActivations): WindowActivations {
  const last = found.at(-1)
  if (!last) throw new Error('a source has a hook')
  return last
}

/** @param saeIn [tokens, dIn] */
function codesOf(sae: Sae, saeIn: Float32Array) {
  const codes = tf.tidy(() => {
    const featureActs = sae.encode(tf.tensor2d(saeIn, [saeIn.length / sae.dIn, sae.dIn]))
    return { featureActs, saeOut: sae.decode(featureActs) }
  })
  const [featureActs, saeOut] = [codes.featureActs.dataSync<'float32'>(), codes.saeOut.dataSync<'float32'>()]
  tf.dispose(codes)
  return { featureActs, saeOut }
}

/** @returns false when it was cancelled */
async function spliceAll(texts: readonly SplicedText[], splice: Splice, channel: Channel): Promise<boolean> {
  for (const [done, text] of texts.entries()) {
    splice.add(text)
    channel.send({ type: 'progress', done: done + 1, total: texts.length, tokensPerSecond: null })
    await giveWay()
    if (channel.isCancelled()) return false
  }
  return true
}

const HeldOutMetadata = z.object({
  monoscope: z.object({ held_out_rule: HeldOutRule, held_out_seed: z.int(), dataset_sha256: z.string() }),
})

/**
 * How documents were held out of the training of an autoencoder, as its folder says; folders of older versions do not say of which text.
 * @returns `isKnown`: whether what the rule picks of this text is known to be kept from the training
 */
function heldOutBy(
  spec: EvaluateSpec,
  { metadata }: SaelensFolder,
): { rule: HeldOutRule; seed: number; isKnown: boolean } {
  const { data } = HeldOutMetadata.safeParse(metadata)
  if (!data) return { rule: 1, seed: spec.seed, isKnown: false }
  const { held_out_rule: rule, held_out_seed: seed, dataset_sha256: sha256 } = data.monoscope
  return { rule, seed, isKnown: sha256 === spec.dataset.sha256 }
}

async function openReader(spec: EvaluateSpec) {
  const stored = await readSaelens(spec.sae.path)
  const { config, weights } = await checkModel(spec.model.path)
  await weights.close()
  requireWidth(stored, config.dModel, spec.sae.path)
  const tokenizer = await loadTokenizer(spec.model.path, config.vocabulary, startFor(spec.model, stored))
  const { bosId } = tokenizer
  const contextSize = Math.min(spec.sae.contextSize, config.contextSize)
  const { rule, seed, isKnown } = heldOutBy(spec, stored)
  const neededTokens = Math.max(TOKENS / HELD_OUT_SHARE, ESTIMATION_TOKENS)
  const options = { contextSize, bosId, seed, rule, neededTokens }
  const corpus = await collectCorpus(readDocuments(spec.dataset), tokenizer, options)
  const windows = firstWindows(windowCount(corpus.heldOut) > 0 ? corpus.heldOut : corpus.training)
  if (textTokens(windows, tokenizer) === 0) throw new AppError('dataset-empty', { path: spec.dataset.path })
  const model = await loadModel(spec.model.path)
  const { hookName } = spec.sae
  const sinkNorm = sinkNormOf(stored) ?? measureSinkNorm(modelSource(model, hookName, tokenizer), corpus, contextSize)
  const source = modelHooks(model, cutAt(model, hookName).needed, tokenizer)
  return {
    stored,
    // Of a dataset that was read in part, the last document may have been read further in, and trained on.
    isHeldOut: isKnown && !(corpus.isLate && corpus.cutShort),
    reader: { model, source, windows, contextSize, sinkNorm, sae: createSae(stored, spec.sae.path) },
  }
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
  const { stored, reader, isHeldOut } = await openReader(spec)
  const { model, sae, source } = reader
  try {
    const bDec = stored.weights.bDec?.data ?? new Float32Array(sae.dIn)
    const reconstruction = new Reconstruction(bDec, decoderNorms(stored.weights))
    channel.send({ type: 'progress', done: 0, total: windowCount(reader.windows), tokensPerSecond: null })
    const texts = await reconstructAll(reader, reconstruction, channel)
    if (!texts) return false
    const figures = reconstruction.figures()
    requireSense(figures, spec)
    const splice = new Splice({
      ...{ model, hookName: spec.sae.hookName, mean: reconstruction.mean() },
      reconstruct: (saeIn) => tf.tidy(() => sae.decode(sae.encode(saeIn))),
    })
    if (!(await spliceAll(texts, splice, channel))) return false
    const origin = { datasetName: spec.dataset.name, isHeldOut, evaluatedAt: new Date().toISOString() }
    channel.send({ type: 'evaluated', quality: { ...figures, ...splice.figures(), ...origin } })
    return true
  } finally {
    sae.dispose()
    source.dispose()
  }
}
