/** What a training reads, behind one face: text run through a model, or activations on disk. Here the text. */
import { createHash } from 'node:crypto'
import { AppError } from '../../shared/errors'
import { HELD_OUT_RULE } from '../../shared/held-out'
import type { HeldOutRule } from '../../shared/held-out'
import { readDocuments } from '../files/documents'
import type { ActivationSource } from '../engine/train/activations'
import type { Checkpoint } from '../engine/train/checkpoint'
import { collectCorpus, textTokens, windowCount } from '../engine/train/contexts'
import type { Corpus } from '../engine/train/contexts'
import { Random } from '../engine/train/random'
import { ActivationStream, collectVectors, measureScale } from '../engine/train/stream'
import type { VectorStream } from '../engine/train/stream'
import { RANDOM_STREAMS } from '../engine/train/trainer'
import type { TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { modelAsBefore } from './sae-start'
import { openSource } from './source'

/** Scale and sinks of the inputs. */
export type Input = Checkpoint['input']

export type TrainingData = {
  source: Pick<ActivationSource, 'dIn' | 'bosId' | 'specialIds' | 'dispose'>
  contextSize: number
  /** sha256 of what is trained and judged on. */
  sha256: string
  /** How documents were held out, and of which dataset. */
  heldOutBy: { rule: HeldOutRule; seed: number; datasetSha256: string }
  /** @throws AppError activations-constant, activations-invalid */
  measure(): Input
  /** Scaled vectors without end, from the first one on. */
  stream(input: Input): VectorStream
  /** Scaled vectors to judge by [tokens, dIn]. */
  heldOut(input: Input): Float32Array
  /** For the log. */
  describe(input: Input): string
}

/** @throws AppError dataset-too-small when there is not one batch to train on, or nothing to judge the result by */
function requireText(corpus: Corpus, source: ActivationSource, batchTokens: number): void {
  const tokens = textTokens(corpus.training, source)
  if (tokens >= batchTokens && windowCount(corpus.heldOut) > 0) return
  throw new AppError('dataset-too-small', { tokens: tokens + textTokens(corpus.heldOut, source), needed: batchTokens })
}

/** Opens model and text. @throws AppError of the model, the tokenizer or the dataset; hook-unknown */
async function openText(
  spec: TrainSpec,
  channel: Channel,
  rule: HeldOutRule,
): Promise<{ source: ActivationSource; contextSize: number; corpus: Corpus }> {
  const { config } = spec
  const read = spec.resume ? await modelAsBefore(spec.model, spec.folder) : spec.model
  const { source, tokenizer, config: model } = await openSource(read, config.hookName, channel)
  const { bosId } = source
  const contextSize = Math.min(config.contextSize, model.contextSize)
  const corpus = await collectCorpus(readDocuments(spec.dataset), tokenizer, {
    contextSize,
    bosId,
    seed: config.seed,
    rule,
    neededTokens: config.trainingTokens,
  })
  requireText(corpus, source, config.batchTokens)
  return { source, contextSize, corpus }
}

function describe(corpus: Corpus, source: ActivationSource, input: Input): string {
  const tokens = textTokens(corpus.training, source).toLocaleString('en-US')
  const heldOut = textTokens(corpus.heldOut, source).toLocaleString('en-US')
  const more = corpus.cutShort ? ', the rest of the dataset is not needed' : ''
  const scale = `s ${input.scale.toPrecision(6)} from ${input.tokens.toLocaleString('en-US')} tokens, ${input.sinks} sinks`
  return `${tokens} tokens to train on, ${heldOut} held out${more}; ${scale}`
}

/** Tells one text from another by the tokens of its windows, whatever file they came from. */
function hashOf({ training, heldOut }: Corpus): string {
  const hash = createHash('sha256')
  for (const { ids, offsets } of [training, heldOut]) {
    hash.update(`${offsets.length}\n`)
    for (const { buffer, byteOffset, byteLength } of [offsets, ids]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    }
  }
  return hash.digest('hex')
}

/** @throws AppError of the model, the tokenizer or the dataset; hook-unknown, dataset-too-small */
export async function textData(
  spec: TrainSpec,
  channel: Channel,
  rule: HeldOutRule = HELD_OUT_RULE,
): Promise<TrainingData> {
  const { seed } = spec.config
  const { source, contextSize, corpus } = await openText(spec, channel, rule)
  return {
    ...{ source, contextSize, sha256: hashOf(corpus) },
    heldOutBy: { rule, seed, datasetSha256: spec.dataset.sha256 },
    measure() {
      const order = Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w)
      Random.fromSeed(seed, RANDOM_STREAMS.estimate).shuffle(order)
      return measureScale(source, corpus.training, { order, contextSize })
    },
    stream(input) {
      const random = Random.fromSeed(seed, RANDOM_STREAMS.passes).state
      return new ActivationStream(source, corpus.training, { contextSize, input, random })
    },
    heldOut: (input) => collectVectors(source, corpus.heldOut, { contextSize, input }).vectors,
    describe: (input) => describe(corpus, source, input),
  }
}
