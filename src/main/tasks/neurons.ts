/** The job that holds features against neurons: one pass over a text, the best neuron of every drawn feature goes to main. */
import { freemem } from 'node:os'
import { readDocuments } from '../files/documents'
import { readSaelens } from '../files/saelens'
import type { SaelensFolder } from '../files/saelens'
import { checkModel, loadTokenizer } from '../engine/lm'
import type { Tokenizer } from '../engine/lm'
import { neuronSumBytes } from '../engine/measure/neuron-sums'
import { drawFeatures, measureNeurons, rHistogram, widthsOf } from '../engine/measure/neurons'
import type { NeuronFigures } from '../engine/measure/neurons'
import { createSae } from '../engine/sae/loaded'
import { cutDocument, firstTokens, textTokens, WindowList } from '../engine/train/contexts'
import type { Windows } from '../engine/train/contexts'
import { AppError } from '../../shared/errors'
import { neuronHooksBefore } from '../../shared/hooks'
import { WEAK } from '../../shared/neurons'
import type { NeuronSpec } from '../jobs/messages'
import { findSinkNorm, requireWidth, sinkNormOf } from './atlas'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { openHooks, openSource } from './source'
import { modelFor, startFor } from './sae-start'

type Text = { windows: Windows; bosId: number | null; contextSize: number }

/** The first documents, as far as the tokens that are wanted reach. @throws AppError dataset-empty, those of documents */
async function readWindows(
  { dataset, settings }: NeuronSpec,
  { tokenizer, contextSize }: { tokenizer: Tokenizer; contextSize: number },
): Promise<Text> {
  const { bosId } = tokenizer
  const list = new WindowList()
  const found = () => list.tokens - (bosId === null ? 0 : list.count)
  for await (const { index, text } of readDocuments(dataset)) {
    for (const window of cutDocument(await tokenizer.encode(text), { contextSize, bosId })) list.add(window, index)
    if (found() >= settings.tokens) break
  }
  if (found() === 0) throw new AppError('dataset-empty', { path: dataset.path })
  return { windows: firstTokens(list.toWindows(), { tokens: settings.tokens, bosId }), bosId, contextSize }
}

/** As in the atlas; measured by a pass of its own where the autoencoder does not say. */
async function sinkNormFor(spec: NeuronSpec, stored: SaelensFolder, contextSize: number, channel: Channel) {
  const own = sinkNormOf(stored)
  if (own !== null) return own
  const { source, tokenizer } = await openSource(modelFor(spec.model, stored), spec.sae.hookName, channel)
  try {
    return await findSinkNorm(spec, stored, { source, tokenizer, contextSize })
  } finally {
    source.dispose()
  }
}

/** @throws AppError neurons-too-large when the sums alone are more than the memory that is free */
function requireRoom(features: number, neurons: number): void {
  const [needed, free] = [neuronSumBytes(features, neurons), freemem()]
  const inMb = (bytes: number) => Math.ceil(bytes / 1e6)
  if (needed > free) {
    throw new AppError('neurons-too-large', { features, neurons, needed: inMb(needed), free: inMb(free) })
  }
}

function announce(
  { model, dataset, eligible, settings }: NeuronSpec,
  { found, features, layers, seen }: { found: NeuronFigures; features: Int32Array; layers: number; seen: number },
  channel: Channel,
): void {
  const strengths = found.best.map(({ r }) => Math.abs(r))
  const summary = {
    ...{ datasetName: dataset.name, datasetSha256: dataset.sha256, modelSha256: model.sha256 },
    ...{ tokens: found.tokens, sinkTokens: seen - found.tokens, layers, neurons: found.neurons },
    ...{ features: features.length, eligible: eligible.length, seed: settings.seed },
    histogram: rHistogram(strengths),
    weakShare: strengths.filter((strength) => strength <= WEAK).length / strengths.length,
    measuredAt: new Date().toISOString(),
  }
  const best = found.best.map((one, i) => ({ ...one, featureIndex: features[i] ?? 0 }))
  channel.send({ type: 'neurons', summary, best })
}

/**
 * @returns false when it was cancelled; nothing is announced then
 * @throws AppError of model, SAE or dataset; neurons-none, neurons-too-large
 */
export async function runNeurons(spec: NeuronSpec, channel: Channel): Promise<boolean> {
  const { hookName, path } = spec.sae
  const neuronHooks = neuronHooksBefore(hookName)
  if (neuronHooks.length === 0) throw new AppError('neurons-none', { hookName })
  const stored = await readSaelens(path)
  const { config, weights } = await checkModel(spec.model.path)
  await weights.close()
  requireWidth(stored, config.dModel, path)
  const tokenizer = await loadTokenizer(spec.model.path, config.vocabulary, startFor(spec.model, stored))
  const contextSize = Math.min(spec.sae.contextSize, config.contextSize)
  const { windows, bosId } = await readWindows(spec, { tokenizer, contextSize })
  const total = textTokens(windows, { bosId })
  channel.send({ type: 'progress', done: 0, total, tokensPerSecond: null })
  const sinkNorm = await sinkNormFor(spec, stored, contextSize, channel)
  const { source } = await openHooks(modelFor(spec.model, stored), [hookName, ...neuronHooks], channel)
  const sae = createSae(stored, path)
  try {
    const features = drawFeatures(spec.eligible, spec.settings.features, spec.settings.seed)
    requireRoom(features.length, sumOf(widthsOf(source).slice(1)))
    const startedAt = performance.now()
    const onProgress = async (done: number) => {
      const tokensPerSecond = done / ((performance.now() - startedAt) / 1000)
      channel.send({ type: 'progress', done, total, tokensPerSecond })
      await giveWay()
      return !channel.isCancelled()
    }
    const found = await measureNeurons({ source, windows, sae, features, contextSize, sinkNorm, onProgress })
    if (!found) return false
    announce(spec, { found, features, layers: neuronHooks.length, seen: total }, channel)
    return true
  } finally {
    sae.dispose()
    source.dispose()
  }
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
