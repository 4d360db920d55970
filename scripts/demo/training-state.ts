/** The state of the model's training on disk: weights, Adam's moments, step and generator, so that a training goes on bit for bit. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { RandomState } from '../../src/main/engine/train/random'
import { writeFileAtomic } from '../../src/main/files/atomic'
import { narrowHalf } from '../../src/main/files/element-types'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import type { Parameters } from './trainable-model'

const Progress = z.object({ step: z.int(), update: z.int(), tokens: z.int(), random: RandomState })
/** `update` counts since the moments were new; `tokens` are all that were ever trained on. */
export type Progress = z.infer<typeof Progress>

export type TrainingState = { progress: Progress; parameters: Parameters; first: Parameters; second: Parameters }

const PARTS = ['parameters', 'first', 'second'] as const

export const zerosOf = (parameters: Parameters): Parameters =>
  new Map([...parameters].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]))

export async function writeState(folder: string, state: TrainingState): Promise<void> {
  await mkdir(folder, { recursive: true })
  const tensors: Record<string, TensorToWrite> = {}
  for (const part of PARTS) {
    for (const [name, { shape, data }] of state[part]) tensors[`${part}/${name}`] = { dtype: 'F32', shape, data }
  }
  // Progress rides with the tensors, so that one file is always one state.
  await writeSafetensors(join(folder, 'state.safetensors'), tensors, { progress: JSON.stringify(state.progress) })
}

/** @returns null when no training was begun in the folder */
export async function readState(folder: string): Promise<TrainingState | null> {
  const path = join(folder, 'state.safetensors')
  if (!existsSync(path)) return null
  const file = await openSafetensors(path)
  try {
    const parts: Record<(typeof PARTS)[number], Parameters> = {
      ...{ parameters: new Map(), first: new Map(), second: new Map() },
    }
    for (const name of file.tensors.keys()) {
      const part = PARTS.find((one) => name.startsWith(`${one}/`))
      if (part) parts[part].set(name.slice(part.length + 1), await file.readFloat32(name))
    }
    return { ...parts, progress: Progress.parse(JSON.parse(file.metadata.progress ?? '')) }
  } finally {
    await file.close()
  }
}

/** The weights of a model folder, to train on from where a published one stands. */
export async function readWeights(folder: string): Promise<Parameters> {
  const file = await openSafetensors(join(folder, 'model.safetensors'))
  try {
    const parameters: Parameters = new Map()
    for (const name of file.tensors.keys()) parameters.set(name.replace(/^model\./, ''), await file.readFloat32(name))
    return parameters
  } finally {
    await file.close()
  }
}

/** Writes a model folder as others read it, in float16. */
export async function writeModel(
  folder: string,
  { json, tokenizer, parameters }: { json: object; tokenizer: string; parameters: Parameters },
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const tensors: Record<string, TensorToWrite> = {}
  for (const [name, { shape, data }] of parameters) {
    tensors[`model.${name}`] = { dtype: 'F16', shape, data: toHalves(data) }
  }
  const metadata = { format: 'pt' }
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, metadata)
  await writeFileAtomic(join(folder, 'config.json'), new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`))
  await writeFileAtomic(join(folder, 'tokenizer.json'), await readFile(tokenizer))
}

/** float16 patterns, rounded to the nearest. */
export const toHalves = (data: Float32Array): Uint16Array =>
  Uint16Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length), narrowHalf)
