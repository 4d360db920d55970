/** Finds and reads the golden fixtures, measures errors as their README defines them, and prints what was compared. */
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { openSafetensors } from '../../src/main/files/safetensors'
import type { StoredTensor } from '../../src/main/files/safetensors'
import { openBackend } from '../../src/main/engine/tf'
import type { Backend, BackendName } from '../../src/shared/domain'

const ROOT = resolve(import.meta.dirname, '../..')

/** The folder of the pretrained test model, or null where it is absent. */
export function storiesFolder(): string | null {
  const folder = resolve(ROOT, '../shared/models/stories260K')
  return existsSync(folder) ? folder : null
}

const USUAL = resolve(ROOT, '../shared/goldens')

/** The folder of the fixtures that this project was built against, whatever GOLDENS_DIR names; null where it is absent. */
export const usualGoldens = (): string | null => (existsSync(USUAL) ? USUAL : null)

/**
 * The folder of the fixtures. When GOLDENS_DIR names one it must be there and hold files: an error then, never a skip.
 * Null when it is not named and the usual place does not exist.
 */
export function goldensFolder(): string | null {
  const named = process.env.GOLDENS_DIR
  if (named === undefined) return usualGoldens()
  const folder = resolve(ROOT, named)
  if (!existsSync(folder)) throw new Error(`GOLDENS_DIR is ${folder}, which does not exist`)
  if (readdirSync(folder).length === 0) throw new Error(`GOLDENS_DIR is ${folder}, which is empty`)
  return folder
}

/** Every tensor of a file by name. */
export async function readTensors(path: string): Promise<Map<string, StoredTensor>> {
  const file = await openSafetensors(path)
  try {
    const tensors = new Map<string, StoredTensor>()
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name))
    return tensors
  } finally {
    await file.close()
  }
}

/** max|got - expected| / max|expected|; infinite when lengths differ or a value is not a number. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length || got.length === 0) return Number.POSITIVE_INFINITY
  let difference = 0
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const [a = Number.NaN, b = Number.NaN] = [got[i], expected[i]]
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.POSITIVE_INFINITY
    difference = Math.max(difference, Math.abs(a - b))
    largest = Math.max(largest, Math.abs(b))
  }
  if (largest === 0) return difference === 0 ? 0 : Number.POSITIVE_INFINITY
  return difference / largest
}

/** Mean in float64. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (const value of Array.from(values)) sum += value
  return sum / values.length
}

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** One line per fixture and backend: how many tensors were compared, and the worst error. */
export function report(fixture: string, backend: string, compared: { tensors: number; worst?: number }): void {
  const worst = compared.worst === undefined ? '' : `, worst error ${compared.worst.toExponential(1)}`
  print(`golden ${fixture} x ${backend}: ${compared.tensors} tensors compared${worst}`)
}

/** Says why tests do not run. */
export function reportSkip(what: string, reason: string): void {
  print(`skipped ${what}: ${reason}`)
}

/** Opens one backend for a test file; null, with the reason printed, when this machine has no native library. */
export async function openTestBackend(name: BackendName): Promise<Backend | null> {
  try {
    return await openBackend(name)
  } catch (error) {
    if (name !== 'tensorflow') throw error
    reportSkip('everything on tensorflow', error instanceof Error ? error.message : String(error))
    return null
  }
}
