/** Everything a training needs before its first step: what it reads, scale, held-out vectors, buffer and trainer. */
import { join } from 'node:path'
import { AppError } from '../../shared/errors'
import { ShuffleBuffer } from '../engine/train/buffer'
import type { Checkpoint } from '../engine/train/checkpoint'
import { Random } from '../engine/train/random'
import type { VectorStream } from '../engine/train/stream'
import { RANDOM_STREAMS, Trainer } from '../engine/train/trainer'
import { kernelThreads, openKernels } from '../engine/kernels/open'
import { HeldOutJudge } from '../engine/measure/held-out'
import { architectureOf } from '../engine/sae/registry'
import type { Architecture } from '../engine/sae/architecture'
import type { TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'
import { setData } from './set-data'
import { textData } from './training-data'
import type { TrainingData } from './training-data'

export type TrainingSetup = {
  architecture: Architecture
  source: TrainingData['source']
  contextSize: number
  input: Checkpoint['input']
  stream: VectorStream
  buffer: ShuffleBuffer
  trainer: Trainer
  /** sha256 of what is trained and judged on. */
  dataSha256: string
  heldOutBy: TrainingData['heldOutBy']
}

/** The folder of a run's checkpoint. */
export const checkpointFolder = ({ folder }: Pick<TrainSpec, 'folder'>): string => join(folder, 'checkpoint')

/** Puts what draws and trains where the checkpoint left it. @throws AppError checkpoint-invalid */
function takeUp(
  { stream, buffer, trainer }: { stream: VectorStream; buffer: ShuffleBuffer; trainer: Trainer },
  { checkpoint, path }: { checkpoint: Checkpoint; path: string },
): void {
  try {
    stream.resume(checkpoint.stream)
    buffer.restore(checkpoint.buffer)
    trainer.restore(checkpoint.trainer)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AppError('checkpoint-invalid', { path, reason }, { cause: error })
  }
}

/**
 * Opens a training at its first step, or where a checkpoint left it.
 * @throws AppError of the model, the tokenizer, the dataset or the set of activations; checkpoint-other, checkpoint-invalid
 */
export async function prepareTraining(
  spec: TrainSpec,
  channel: Channel,
  checkpoint: Checkpoint | null,
): Promise<TrainingSetup> {
  const { config } = spec
  const path = checkpointFolder(spec)
  const data = await (spec.activations
    ? setData(spec, spec.activations)
    : textData(spec, channel, checkpoint?.heldOutRule))
  const { source, contextSize, sha256: dataSha256, heldOutBy } = data
  const { dIn } = source
  if (checkpoint && checkpoint.dIn !== dIn) throw new AppError('checkpoint-other', { path, what: 'model' })
  if (checkpoint && checkpoint.origin.asked.dataSha256 !== dataSha256) {
    throw new AppError('checkpoint-other', { path, what: 'dataset' })
  }
  await giveWay()
  if (!checkpoint) {
    const text = 'measuring the scale of the inputs and the norm of attention sinks before the first step'
    channel.send({ type: 'log', level: 'info', text })
  }
  const input = checkpoint?.input ?? data.measure()
  channel.send({ type: 'log', level: 'info', text: data.describe(input) })
  await giveWay()
  const stream = data.stream(input)
  const capacity = Math.max(config.bufferTokens, 2 * config.batchTokens)
  const buffer = new ShuffleBuffer({ capacity, dIn }, stream, Random.fromSeed(config.seed, RANDOM_STREAMS.buffer))
  const vectors = data.heldOut(input)
  const heldOut = new HeldOutJudge({ vectors, dIn, tokens: vectors.length / dIn })
  const architecture = architectureOf(config.architecture)
  const backend = channel.backend.name
  const kernels = openKernels({ architecture, dIn, config, backend, threads: kernelThreads() })
  if (kernels.reason) channel.send({ type: 'log', level: 'warn', text: kernels.reason })
  const trainer = new Trainer({ architecture, dIn, config, heldOut, openSparse: kernels.open })
  if (checkpoint) takeUp({ stream, buffer, trainer }, { checkpoint, path })
  return { architecture, source, contextSize, input, stream, buffer, trainer, dataSha256, heldOutBy }
}
