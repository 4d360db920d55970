/**
 * Activations on disk: a folder with `index.json`, and for every hook point a folder of shards, safetensors files with
 *
 * | tensor      | type | shape       | meaning                                                             |
 * | ----------- | ---- | ----------- | ------------------------------------------------------------------- |
 * | `vectors`   | F16  | [rows, dIn] | raw vectors, not scaled, rounded to the nearest; sinks and BOS left out |
 * | `documents` | I32  | [rows]      | index of the document in the dataset                                |
 * | `positions` | I32  | [rows]      | position of the token in its document, BOS not counted              |
 *
 * Half precision holds at most 65504: a set with a larger value is refused while it is collected, rather than scaled or cut.
 *
 * Shards named `training-` hold windows in an order shuffled by the seed; those named `held-out-` are for judging.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HeldOutRule } from '../../shared/held-out'
import { AppError } from '../../shared/errors'
import { parseHook } from '../../shared/hooks'
import { writeFileAtomic } from './atomic'
import { sha256OfFile } from './saelens'
import { parseSafetensors, readError, writeSafetensors } from './safetensors'

/** Size of a shard, about. */
export const SHARD_BYTES = 64e6
const INDEX_FILE = 'index.json'
const LARGEST_INDEX_BYTES = 64 * 1024 * 1024
const LARGEST_HEADER_BYTES = 4096
const FORMAT = 'monoscope-activations-1'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const Count = z.int().min(0)

/** One finished file of a hook point. */
export const Shard = z.object({
  file: z.string().regex(/^(training|held-out)-\d{5}\.safetensors$/),
  rows: Count,
  /** Tokens left out as sinks. */
  sinks: Count,
  /** sum ||x||^2 over the rows as they are stored. */
  squares: z.number().min(0),
  bytes: Count,
  sha256: Sha256,
})
export type Shard = z.infer<typeof Shard>

/** Null where a shard is not written yet. */
const Shards = z.array(Shard.nullable()).max(100_000)

export const HookShards = z.object({
  hookName: z.string().refine((name) => parseHook(name) !== null),
  /** A token is a sink, and left out, when its norm is beyond `sinkNorm`: so many medians, over `estimatedTokens` tokens. */
  medianNorm: z.number().min(0),
  sinkNorm: z.number().min(0),
  sinkMedians: z.number().positive(),
  estimatedTokens: Count,
  training: Shards,
  heldOut: Shards,
})
export type HookShards = z.infer<typeof HookShards>

/** What a folder of activations says of itself. */
export const ActivationIndex = z.object({
  format: z.literal(FORMAT),
  model: z.object({ name: z.string(), sha256: z.string() }),
  dataset: z.object({ name: z.string(), sha256: z.string() }),
  /** sha256 over the token ids that were run. */
  textSha256: Sha256,
  contextSize: z.int().positive(),
  bosId: z.int().min(0).nullable(),
  /** Tokens that were left out wherever they stood; sets of older versions left out the BOS of each window alone. */
  specialIds: z.array(z.int().min(0)).optional(),
  dIn: z.int().positive().max(1_000_000),
  seed: Count,
  /** How documents were held out; sets of older versions did it by rule 1. */
  heldOutRule: HeldOutRule.optional(),
  /** Text tokens asked for, and those there were to train on and to judge by; sinks are among them. */
  tokens: Count,
  trainingTokens: Count,
  heldOutTokens: Count,
  /** Windows of the training text; each had a BOS where the model has one. */
  trainingWindows: Count,
  windowsPerShard: z.int().positive(),
  isComplete: z.boolean(),
  hooks: z.array(HookShards).min(1).max(200),
})
export type ActivationIndex = z.infer<typeof ActivationIndex>

export const newIndex = (facts: Omit<ActivationIndex, 'format'>): ActivationIndex => ({ format: FORMAT, ...facts })

/** Bytes that a token takes at one hook point. */
export const rowBytes = (dIn: number): number => dIn * Uint16Array.BYTES_PER_ELEMENT + 2 * Int32Array.BYTES_PER_ELEMENT

export const shardPath = (folder: string, hookName: string, file: string): string => join(folder, hookName, file)

/** Keys come in the order of the schema, so that equal sets have equal files. @throws AppError disk-full, workspace-unwritable */
export async function writeIndex(folder: string, index: ActivationIndex): Promise<void> {
  const text = `${JSON.stringify(ActivationIndex.parse(index))}\n`
  await writeFileAtomic(join(folder, INDEX_FILE), new TextEncoder().encode(text))
}

/** Removes what a killed process was in the middle of writing; nothing else may write to the folder. */
export async function removeParts(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const isPart = entry.isFile() && entry.name.startsWith('.') && entry.name.endsWith('.part')
    if (isPart) await rm(join(entry.parentPath, entry.name), { force: true })
  }
}

/**
 * The index of a folder, or null where there is none.
 * @throws AppError file-corrupt, file-unreadable
 */
export async function readIndex(folder: string): Promise<ActivationIndex | null> {
  const path = join(folder, INDEX_FILE)
  const corrupt = (reason: string, cause?: unknown) =>
    new AppError('file-corrupt', { path, format: 'activation index', reason }, { cause })
  const found = await stat(path).catch(() => null)
  if (!found) return null
  if (found.size > LARGEST_INDEX_BYTES) throw corrupt('it is too large')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readError(error, path)
  })
  try {
    return ActivationIndex.parse(JSON.parse(text))
  } catch (error) {
    throw corrupt('it does not describe activations', error)
  }
}

/** Rows of one shard; vectors [rows, dIn] as half-precision patterns. */
export type ShardRows = {
  vectors: Uint16Array<ArrayBuffer>
  documents: Int32Array<ArrayBuffer>
  positions: Int32Array<ArrayBuffer>
}

/** Writes a shard, complete or not at all. @throws AppError disk-full, workspace-unwritable */
export async function writeShard(path: string, rows: ShardRows, dIn: number): Promise<Pick<Shard, 'bytes' | 'sha256'>> {
  const count = rows.positions.length
  await writeSafetensors(path, {
    vectors: { dtype: 'F16', shape: [count, dIn], data: rows.vectors },
    documents: { dtype: 'I32', shape: [count], data: rows.documents },
    positions: { dtype: 'I32', shape: [count], data: rows.positions },
  })
  return { bytes: (await stat(path)).size, sha256: await sha256OfFile(path) }
}

/** Whether a shard is there and has the bytes it was written with. */
export async function shardHolds(path: string, shard: Shard): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found?.size === shard.bytes && (await sha256OfFile(path)) === shard.sha256
}

function readWhole(path: string, bytes: number): Uint8Array<ArrayBuffer> {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw readError(error, path)
  }
  try {
    if (fstatSync(file).size !== bytes) throw new AppError('activations-changed', { path })
    const data = new Uint8Array(bytes)
    for (let at = 0; at < bytes;) {
      const read = readSync(file, data, at, bytes - at, at)
      if (read === 0) throw new AppError('activations-changed', { path })
      at += read
    }
    return data
  } finally {
    closeSync(file)
  }
}

/**
 * Reads a shard whole, at once: a trainer asks for its next batch synchronously.
 * @param shard `isTrusted` when its checksum was verified before
 * @throws AppError file-missing, file-unreadable; activations-changed when size, checksum or shapes are not those of the index
 */
export function readShard(path: string, shard: Shard & { isTrusted: boolean }, dIn: number): ShardRows {
  const { rows, bytes, sha256, isTrusted } = shard
  // What is allocated follows from the rows, not from what the index says of the file.
  if (bytes > rows * rowBytes(dIn) + LARGEST_HEADER_BYTES) throw new AppError('activations-changed', { path })
  const file = readWhole(path, bytes)
  if (!isTrusted && createHash('sha256').update(file).digest('hex') !== sha256) {
    throw new AppError('activations-changed', { path })
  }
  const { tensors, dataStart } = parseSafetensors(path, file)
  const startOf = (name: string, dtype: string, shape: number[]): number => {
    const entry = tensors.get(name)
    const isAsWritten = entry?.dtype === dtype && entry.shape.join() === shape.join()
    if (!isAsWritten || (dataStart + entry.begin) % 4 !== 0) throw new AppError('activations-changed', { path })
    return dataStart + entry.begin
  }
  return {
    vectors: new Uint16Array(file.buffer, startOf('vectors', 'F16', [rows, dIn]), rows * dIn),
    documents: new Int32Array(file.buffer, startOf('documents', 'I32', [rows]), rows),
    positions: new Int32Array(file.buffer, startOf('positions', 'I32', [rows]), rows),
  }
}
