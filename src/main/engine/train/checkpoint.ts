/**
 * The state of a run that is needed to go on with it, as one folder:
 * `state.safetensors` (raw parameters, Adam's moments, silence counters, positions of the pool) and `state.json` (step, place, generators).
 * The pool's vectors are not stored: they follow from the positions, the dataset, the model and s.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replaceFolder, writeError } from '../../files/atomic'
import { writeSafetensors } from '../../files/safetensors'
import type { TensorToWrite } from '../../files/safetensors'
import type { SaeWeights } from '../sae/architecture'
import type { InputScale } from './activations'
import type { BufferState } from './buffer'
import type { RandomState } from './random'
import type { StreamPlace } from './stream'
import type { Trainer } from './trainer'

const FORMAT = 'monoscope-checkpoint-1'

export type CheckpointInput = {
  trainer: Trainer
  buffer: BufferState
  stream: StreamPlace
  passes: RandomState
  input: InputScale
  /** The job as it was asked for, so that the folder explains itself. */
  spec: unknown
}

/** Writes the folder whole or not at all. @throws AppError disk-full, workspace-unwritable */
export async function writeCheckpoint(
  folder: string,
  { trainer, buffer, stream, passes, input, spec }: CheckpointInput,
): Promise<void> {
  const part = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.part`)
  const { first, second } = trainer.moments()
  const tensors: Record<string, TensorToWrite> = {
    ...prefixed('parameter', trainer.weights()),
    ...prefixed('adam.first', first),
    ...prefixed('adam.second', second),
    silentFor: { dtype: 'F64', shape: [trainer.silentFor.length], data: new Float64Array(trainer.silentFor) },
    poolPositions: { dtype: 'I32', shape: [buffer.positions.length], data: new Int32Array(buffer.positions) },
  }
  const state = {
    format: FORMAT,
    step: trainer.step,
    steps: trainer.steps,
    tokens: trainer.tokens,
    stream: { ...stream, tokensTaken: buffer.taken },
    generators: { passes, buffer: buffer.random },
    input,
    spec,
  }
  try {
    await mkdir(part, { recursive: true })
    await writeSafetensors(join(part, 'state.safetensors'), tensors, { format: FORMAT })
    await writeFile(join(part, 'state.json'), `${JSON.stringify(state, null, 2)}\n`)
    await replaceFolder(part, folder)
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined)
    throw writeError(error, folder)
  }
}

function prefixed(prefix: string, weights: SaeWeights): Record<string, TensorToWrite> {
  const entries = Object.entries(weights).map(
    ([name, { shape, data }]) =>
      [`${prefix}.${name}`, { dtype: 'F32' as const, shape, data: new Float32Array(data) }] as const,
  )
  return Object.fromEntries(entries)
}
