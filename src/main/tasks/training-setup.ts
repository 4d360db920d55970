/** Everything a training needs before its first step: model, text, scale, held-out vectors, buffer and trainer. */
import { AppError } from '../../shared/errors'
import { readDocuments } from '../files/documents'
import type { ActivationSource } from '../engine/train/activations'
import type { InputScale } from '../engine/train/activations'
import { ShuffleBuffer } from '../engine/train/buffer'
import { collectCorpus, textTokens, windowCount } from '../engine/train/contexts'
import type { Corpus } from '../engine/train/contexts'
import { Random } from '../engine/train/random'
import { ActivationStream, collectVectors, measureScale } from '../engine/train/stream'
import { RANDOM_STREAMS, Trainer } from '../engine/train/trainer'
import { HeldOutJudge } from '../engine/measure/held-out'
import { architectureOf } from '../engine/sae/registry'
import type { Architecture } from '../engine/sae/architecture'
import type { TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { openSource } from './source'

export type TrainingSetup = {
  architecture: Architecture
  source: ActivationSource
  contextSize: number
  input: InputScale & { droppedTokens: number }
  stream: ActivationStream
  passes: Random
  buffer: ShuffleBuffer
  trainer: Trainer
  judge: HeldOutJudge
}

/** @throws AppError dataset-too-small when there is not one batch to train on, or nothing to judge the result by */
function requireText(corpus: Corpus, { bosId, batchTokens }: { bosId: number | null; batchTokens: number }): void {
  const tokens = textTokens(corpus.training, { bosId })
  if (tokens >= batchTokens && windowCount(corpus.heldOut) > 0) return
  throw new AppError('dataset-too-small', { tokens, needed: batchTokens })
}

/** Opens model and text. @throws AppError of the model, the tokenizer or the dataset; hook-unknown */
export async function openText(
  spec: TrainSpec,
  channel: Channel,
): Promise<{ source: ActivationSource; contextSize: number; corpus: Corpus }> {
  const { config } = spec
  const { source, tokenizer, config: model } = await openSource(spec.model, config.hookName, channel)
  const { bosId } = source
  const contextSize = Math.min(config.contextSize, model.contextSize)
  const corpus = await collectCorpus(readDocuments(spec.dataset), tokenizer, {
    contextSize,
    bosId,
    seed: config.seed,
    neededTokens: config.trainingTokens,
  })
  requireText(corpus, { bosId, batchTokens: config.batchTokens })
  return { source, contextSize, corpus }
}

function describe(corpus: Corpus, setup: { bosId: number | null; input: InputScale }): string {
  const { bosId, input } = setup
  const tokens = textTokens(corpus.training, { bosId }).toLocaleString('en-US')
  const heldOut = textTokens(corpus.heldOut, { bosId }).toLocaleString('en-US')
  const more = corpus.cutShort ? ', the rest of the dataset is not needed' : ''
  const scale = `s ${input.scale.toPrecision(6)} from ${input.tokens.toLocaleString('en-US')} tokens, ${input.sinks} sinks`
  return `${tokens} tokens to train on, ${heldOut} held out${more}; ${scale}`
}

/** @throws AppError of the model, the tokenizer or the dataset */
export async function prepareTraining(spec: TrainSpec, channel: Channel): Promise<TrainingSetup> {
  const { config } = spec
  const { source, contextSize, corpus } = await openText(spec, channel)
  await giveWay()
  const order = Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w)
  Random.fromSeed(config.seed, RANDOM_STREAMS.estimate).shuffle(order)
  const input = measureScale(source, corpus.training, { order, contextSize })
  channel.send({ type: 'log', level: 'info', text: describe(corpus, { bosId: source.bosId, input }) })
  await giveWay()
  const passes = Random.fromSeed(config.seed, RANDOM_STREAMS.passes)
  const stream = new ActivationStream(source, corpus.training, { contextSize, input, random: passes })
  const { dIn } = source
  const capacity = Math.max(config.bufferTokens, 2 * config.batchTokens)
  const buffer = new ShuffleBuffer({ capacity, dIn }, stream, Random.fromSeed(config.seed, RANDOM_STREAMS.buffer))
  const { vectors } = collectVectors(source, corpus.heldOut, { contextSize, input })
  const judge = new HeldOutJudge({ vectors, dIn, tokens: vectors.length / dIn })
  const architecture = architectureOf(config.architecture)
  const trainer = new Trainer({ architecture, dIn, config, nextBatch: (batch) => buffer.draw(batch), heldOut: judge })
  return { architecture, source, contextSize, input, stream, passes, buffer, trainer, judge }
}
