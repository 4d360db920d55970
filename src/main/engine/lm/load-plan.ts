/** How much memory a model needs when it is loaded, and the refusal of one that does not fit. */
import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../../shared/errors'
import { tf } from '../tf'
import type { ModelConfig, TensorShapes } from './family'

/** Bytes of memory, known from config and weight headers alone. */
export type LoadPlan = {
  /** Of the tensors as they are stored. */
  weightBytes: number
  /** Once loaded: float32 of every tensor, and the transposed embedding that a tied model makes its head of. */
  memoryBytes: number
  /** The most that is held at any time: one tensor more, while it is read or transposed. */
  peakBytes: number
  /** What this process may still take. */
  freeBytes: number
}

const FLOAT_BYTES = 4

/** Names of a head of its own; a model without one uses its embedding. */
export const HEAD_NAMES: readonly string[] = ['lm_head.weight', 'embed_out.weight']

const bytesOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, FLOAT_BYTES)

/**
 * Bytes of cached files that count as used in this process's control group, although the kernel drops them before it refuses
 * memory. Without them a model that was just downloaded or hashed under a limit (Slurm, containers) would seem not to fit.
 * @param own text of /proc/self/cgroup
 * @param root where control groups are mounted
 */
export function droppableBytes(own: string, root: string): number {
  // Version 2 has one line for all controllers, version 1 one for memory.
  const [, unified] = /^0::(.*)$/m.exec(own) ?? []
  const [, legacy] = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own) ?? []
  const path = legacy === undefined ? unified : join('memory', legacy)
  if (path === undefined) return 0
  // Inside a container the mount shows the own group as its root.
  for (const folder of [join(root, path), join(root, legacy === undefined ? '' : 'memory')]) {
    const stat = join(folder, 'memory.stat')
    if (!existsSync(stat)) continue
    const numbers = new Map(
      readFileSync(stat, 'utf8')
        .split('\n')
        .map((line): [string, string] => {
          const [name = '', value = ''] = line.split(' ')
          return [name, value]
        }),
    )
    const prefix = numbers.has('total_inactive_file') ? 'total_' : ''
    return Number(numbers.get(`${prefix}inactive_file`) ?? 0) + Number(numbers.get(`${prefix}active_file`) ?? 0)
  }
  return 0
}

/**
 * What the system would give this process without taking it from another; within a control group, what the group's limit leaves.
 * macOS counts only pages that no one uses and keeps few of them, since it fills memory with files that can be dropped; there half
 * of all memory is assumed to be had.
 */
function freeMemory(): number {
  const available = process.availableMemory()
  if (process.platform === 'darwin') return Math.max(available, totalmem() / 2)
  const limit = process.constrainedMemory()
  if (process.platform !== 'linux' || limit === 0 || limit >= totalmem()) return available
  return Math.min(limit, available + droppableBytes(readFileSync('/proc/self/cgroup', 'utf8'), '/sys/fs/cgroup'))
}

/** Costs nothing: no weight is read. */
export function planLoad({ config, shapes }: { config: ModelConfig; shapes: TensorShapes }): LoadPlan {
  let memoryBytes = HEAD_NAMES.some((name) => shapes.has(name)) ? 0 : bytesOf([config.vocabulary, config.dModel])
  let largest = 0
  for (const shape of shapes.values()) {
    memoryBytes += bytesOf(shape)
    largest = Math.max(largest, bytesOf(shape))
  }
  return { weightBytes: config.weightBytes, memoryBytes, peakBytes: memoryBytes + largest, freeBytes: freeMemory() }
}

/** A number of bytes for people, with one decimal from a gigabyte on: "850 MB", "12.3 GB". */
export function writeBytes(bytes: number): string {
  if (bytes < 1e9) return `${Math.ceil(bytes / 1e6)} MB`
  return `${(bytes / 1e9).toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} GB`
}

/** Addresses are 32 bits wide; the build of the wasm backend lets its memory grow to this and no further. */
const WASM_BYTES = 2 ** 32 - 2 ** 16
/** Largest number of elements of one tensor: backends count them in 32 bits with a sign. */
const MAX_ELEMENTS = 2 ** 31 - 1

/**
 * Refuses what cannot be loaded, before any weight is read.
 * @throws AppError model-too-large, model-too-large-wasm, model-tensor-too-large
 */
export function requireRoom(plan: LoadPlan, shapes: TensorShapes): void {
  for (const [tensor, shape] of shapes) {
    if (bytesOf(shape) / FLOAT_BYTES <= MAX_ELEMENTS) continue
    throw new AppError('model-tensor-too-large', {
      tensor,
      elements: bytesOf(shape) / FLOAT_BYTES,
      limit: MAX_ELEMENTS,
    })
  }
  const needed = writeBytes(plan.peakBytes)
  if (tf.getBackend() === 'wasm' && plan.peakBytes > WASM_BYTES) {
    throw new AppError('model-too-large-wasm', { needed, limit: writeBytes(WASM_BYTES) })
  }
  if (plan.peakBytes > plan.freeBytes)
    throw new AppError('model-too-large', { needed, free: writeBytes(plan.freeBytes) })
}
