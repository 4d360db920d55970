/**
 * The state of a run that is needed to go on with it bit for bit, as one folder:
 * `state.safetensors` (raw parameters, Adam's moments, silence counters, the pool of the shuffle buffer) and `state.json` (step,
 * generators, place in the text, what the run was asked to do and what it ran on).
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { Backend } from '../../../shared/domain'
import { AppError } from '../../../shared/errors'
import { HeldOutRule } from '../../../shared/held-out'
import { trainingSteps } from '../../../shared/presets'
import { RouteName, TrainConfig } from '../../../shared/training'
import { recoverFolder, replaceFolder, writeError } from '../../files/atomic'
import { openSafetensors, writeSafetensors } from '../../files/safetensors'
import type { SafetensorsFile, TensorToWrite } from '../../files/safetensors'
import { sha256OfFile } from '../../files/saelens'
import { architectureOf } from '../sae/registry'
import type { SaeWeights } from '../sae/architecture'
import type { BufferState, VectorBlock } from './buffer'
import { RandomState } from './random'
import { StreamPlace } from './stream'
import type { TrainerState } from './trainer'

const FORMAT = 'monoscope-checkpoint-2'
const TENSORS_FILE = 'state.safetensors'
const HEAD_FILE = 'state.json'
const LARGEST_HEAD_BYTES = 16 * 1024 * 1024
/** Prefixes of the tensor names. */
const GROUPS = { parameters: 'parameter', first: 'adam.first', second: 'adam.second' } as const

const Count = z.int().min(0)
const InputUsed = z.object({
  ...{ scale: z.number().positive(), medianNorm: z.number().min(0), sinkNorm: z.number().min(0) },
  ...{ tokens: Count, sinks: Count, droppedTokens: Count },
})

/** What the run is and what it rests on; a checkpoint goes on only where all of `asked` is the same. */
export const CheckpointOrigin = z.object({
  asked: z.object({
    config: TrainConfig,
    /** sha256 of the model's weights, as the workspace knows it. */
    modelSha256: z.string(),
    /** sha256 of what is trained and judged on: the tokens of all windows, or the names of the shards. */
    dataSha256: z.string(),
  }),
  /** Other bits are possible when one of these differs. */
  ranOn: z.object({ version: z.string(), backend: Backend.omit({ reason: true }), cores: z.int().min(1) }),
  /** The job as it was given, so that the folder explains itself. */
  spec: z.unknown(),
})
export type CheckpointOrigin = z.infer<typeof CheckpointOrigin>

const Head = z.object({
  format: z.string(),
  step: Count,
  steps: Count,
  tokens: Count,
  dIn: z.int().min(1).max(1_000_000),
  route: RouteName,
  threshold: z.number(),
  input: InputUsed,
  /** How the text to judge by was picked. */
  heldOutRule: HeldOutRule.default(1),
  stream: StreamPlace,
  buffer: z.object({ random: RandomState, taken: Count }),
  origin: CheckpointOrigin,
  /** sha256 of state.safetensors. */
  tensorsSha256: z.string(),
})

export type Checkpoint = Pick<z.infer<typeof Head>, 'dIn' | 'input' | 'heldOutRule' | 'stream' | 'origin'> & {
  trainer: TrainerState
  buffer: BufferState
}

const invalid = (path: string, reason: string, cause?: unknown) =>
  new AppError('checkpoint-invalid', { path, reason }, { cause })

function prefixed(prefix: string, weights: SaeWeights): Record<string, TensorToWrite> {
  const entries = Object.entries(weights).map(
    ([name, { shape, data }]) =>
      [`${prefix}.${name}`, { dtype: 'F32' as const, shape, data: new Float32Array(data) }] as const,
  )
  return Object.fromEntries(entries)
}

function blockTensors(prefix: string, { vectors, positions }: VectorBlock, dIn: number): Record<string, TensorToWrite> {
  const rows = positions.length
  return {
    [`${prefix}.vectors`]: { dtype: 'F32', shape: [rows, dIn], data: new Float32Array(vectors) },
    [`${prefix}.positions`]: { dtype: 'I32', shape: [rows], data: new Int32Array(positions) },
  }
}

function tensorsOf({ trainer, buffer, dIn }: Checkpoint): Record<string, TensorToWrite> {
  const { steps, silentFor } = trainer
  return {
    ...prefixed(GROUPS.parameters, steps.parameters),
    ...prefixed(GROUPS.first, steps.first),
    ...prefixed(GROUPS.second, steps.second),
    silentFor: { dtype: 'F64', shape: [silentFor.length], data: new Float64Array(silentFor) },
    ...blockTensors('pool', buffer.pool, dIn),
    ...blockTensors('pending', buffer.pending, dIn),
  }
}

/**
 * Writes the folder whole or not at all: until the last rename an older one stays as it is.
 * @throws AppError disk-full, workspace-unwritable
 */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { trainer, buffer, dIn, input, heldOutRule, stream, origin } = checkpoint
  const part = join(dirname(folder), `.${basename(folder)}.${randomBytes(6).toString('hex')}.part`)
  const { config } = origin.asked
  try {
    await mkdir(part, { recursive: true })
    await writeSafetensors(join(part, TENSORS_FILE), tensorsOf(checkpoint), { format: FORMAT })
    const head: z.infer<typeof Head> = {
      format: FORMAT,
      step: trainer.step,
      steps: trainingSteps(config),
      tokens: trainer.step * config.batchTokens,
      ...{ dIn, route: trainer.steps.route, threshold: trainer.threshold, input, heldOutRule, stream },
      buffer: { random: buffer.random, taken: buffer.taken },
      origin,
      tensorsSha256: await sha256OfFile(join(part, TENSORS_FILE)),
    }
    await writeFile(join(part, HEAD_FILE), `${JSON.stringify(head, null, 2)}\n`)
    await replaceFolder(part, folder)
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined)
    throw writeError(error, folder)
  }
}

function parseHead(folder: string, json: unknown): z.infer<typeof Head> {
  try {
    return Head.parse(json)
  } catch (error) {
    // What is nested too deeply ends the parser's stack, which is no complaint of the schema.
    throw invalid(folder, `${HEAD_FILE} does not describe a training`, error)
  }
}

async function readHead(folder: string): Promise<z.infer<typeof Head>> {
  const path = join(folder, HEAD_FILE)
  const found = await stat(path).catch((error: unknown) => {
    throw invalid(folder, `${HEAD_FILE} is missing`, error)
  })
  if (found.size > LARGEST_HEAD_BYTES) throw invalid(folder, `${HEAD_FILE} is too large`)
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw invalid(folder, `${HEAD_FILE} is not JSON`, error)
  }
  const format = z.looseObject({ format: z.string() }).safeParse(json)
  if (format.success && format.data.format !== FORMAT) {
    throw invalid(folder, `it has the form ${format.data.format} of another version of this program`)
  }
  const head = parseHead(folder, json)
  const { step, steps, origin } = head
  if (step > steps || steps !== trainingSteps(origin.asked.config)) {
    throw invalid(folder, `${HEAD_FILE} has a step that the run does not have`)
  }
  return head
}

/** Reads tensors of known shapes whose numbers are finite. */
class TensorReader {
  constructor(
    private readonly folder: string,
    private readonly file: SafetensorsFile,
  ) {}

  /** Elements along the first axis. */
  rows(name: string): number {
    return this.file.tensors.get(name)?.shape[0] ?? 0
  }

  async float32(name: string, shape: number[]): Promise<Float32Array> {
    this.require(name, 'F32', shape)
    const { data } = await this.file.readFloat32(name)
    return this.finite(name, data)
  }

  async float64(name: string, shape: number[]): Promise<Float64Array> {
    this.require(name, 'F64', shape)
    const { data } = await this.file.read(name)
    return this.finite(name, data instanceof Float64Array ? data : new Float64Array())
  }

  async int32(name: string, shape: number[]): Promise<Int32Array> {
    this.require(name, 'I32', shape)
    const { data } = await this.file.read(name)
    return data instanceof Int32Array ? data : new Int32Array()
  }

  private require(name: string, dtype: string, shape: number[]): void {
    const entry = this.file.tensors.get(name)
    if (!entry) throw invalid(this.folder, `${TENSORS_FILE} has no tensor ${name}`)
    if (entry.dtype === dtype && entry.shape.join() === shape.join()) return
    const [found, wanted] = [`${entry.dtype} [${entry.shape.join(', ')}]`, `${dtype} [${shape.join(', ')}]`]
    throw invalid(this.folder, `the tensor ${name} is ${found}, not ${wanted}`)
  }

  private finite<T extends Float32Array | Float64Array>(name: string, data: T): T {
    if (!data.every((value) => Number.isFinite(value))) {
      throw invalid(this.folder, `the tensor ${name} has values that are no numbers`)
    }
    return data
  }
}

async function readBlock(reader: TensorReader, prefix: string, dIn: number): Promise<VectorBlock> {
  const rows = reader.rows(`${prefix}.positions`)
  const vectors = await reader.float32(`${prefix}.vectors`, [rows, dIn])
  return { vectors, positions: await reader.int32(`${prefix}.positions`, [rows]) }
}

async function readWeights(
  reader: TensorReader,
  prefix: string,
  shapes: Record<string, number[]>,
): Promise<SaeWeights> {
  const weights: SaeWeights = {}
  for (const [name, shape] of Object.entries(shapes)) {
    weights[name] = { shape, data: await reader.float32(`${prefix}.${name}`, shape) }
  }
  return weights
}

async function readTensors(
  reader: TensorReader,
  head: z.infer<typeof Head>,
): Promise<Pick<Checkpoint, 'trainer' | 'buffer'>> {
  const { dIn, step, route, threshold } = head
  const { architecture, dSae } = head.origin.asked.config
  const shapes = architectureOf(architecture).shapes({ dIn, dSae })
  const steps = {
    route,
    parameters: await readWeights(reader, GROUPS.parameters, shapes),
    first: await readWeights(reader, GROUPS.first, shapes),
    second: await readWeights(reader, GROUPS.second, shapes),
  }
  const silentFor = await reader.float64('silentFor', [dSae])
  const pool = await readBlock(reader, 'pool', dIn)
  const pending = await readBlock(reader, 'pending', dIn)
  return { trainer: { step, steps, silentFor, threshold }, buffer: { ...head.buffer, pool, pending } }
}

/**
 * Reads what {@link writeCheckpoint} wrote, after checking that it is whole: checksum, shapes, finite numbers.
 * @throws AppError checkpoint-invalid
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  await recoverFolder(folder)
  const head = await readHead(folder)
  const path = join(folder, TENSORS_FILE)
  let file: SafetensorsFile | undefined
  try {
    if ((await sha256OfFile(path)) !== head.tensorsSha256) {
      throw invalid(folder, `${TENSORS_FILE} is not the file that was written`)
    }
    file = await openSafetensors(path)
    const tensors = await readTensors(new TensorReader(folder, file), head)
    const { dIn, input, heldOutRule, stream, origin } = head
    return { dIn, input, heldOutRule, stream, origin, ...tensors }
  } catch (error) {
    if (error instanceof AppError && error.code === 'checkpoint-invalid') throw error
    throw invalid(folder, error instanceof AppError ? error.message : `${TENSORS_FILE} cannot be read`, error)
  } finally {
    await file?.close()
  }
}
