/** The weight files of a model folder as one set of named tensors, whether in one file or in shards. */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors'
import { openSafetensors, readError } from '../../files/safetensors'
import type { SafetensorsFile, TensorEntry } from '../../files/safetensors'
import { scanSafetensors } from '../../files/safetensors-scan'

/** Weight files of one folder with only their headers read. */
export type WeightFiles = {
  readonly folder: string
  /** Absolute paths, sorted by name. */
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** One tensor, widened to float32 bit for bit. */
  readFloat32(name: string): Promise<{ shape: number[]; data: Float32Array<ArrayBuffer> }>
  /**
   * Reads every file once.
   * @param used whether the model uses a tensor
   * @returns sha256, hex, over the bytes of the files one after another, and the used tensors that hold a value which is no
   * finite number
   */
  scan(used: (name: string) => boolean): Promise<{ sha256: string; nonFinite: string[] }>
  close(): Promise<void>
}

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
/** No published config, index or tokenizer comes near; anything larger is not one. */
const MAX_JSON_BYTES = 256 * 1024 * 1024
const Index = z.object({ weight_map: z.record(z.string(), z.string()) })

/** Whether there is a file of that name. */
export const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** Text of a file of bounded size. @throws AppError file-missing, file-unreadable, file-corrupt (too long) */
export async function readText(path: string, maxBytes = MAX_JSON_BYTES): Promise<string> {
  try {
    const facts = await stat(path)
    if (!facts.isFile() && !facts.isDirectory()) throw new AppError('file-special', { path })
    const { size } = facts
    if (size <= maxBytes) return await readFile(path, 'utf8')
    const reason = `it is ${size.toLocaleString('en-US')} bytes long, and at most ${maxBytes.toLocaleString('en-US')} are read`
    throw new AppError('file-corrupt', { path, format: 'text', reason })
  } catch (error) {
    throw error instanceof AppError ? error : readError(error, path)
  }
}

/** @throws AppError file-corrupt when the text is not JSON or does not have the shape */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const corrupt = (reason: string, cause: unknown) =>
    new AppError('file-corrupt', { path, format: 'JSON', reason }, { cause })
  const text = await readText(path)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw corrupt('it does not parse', error)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw corrupt(describeIssue(parsed.error), parsed.error)
}

/** As {@link readJson}; null where there is no such file. */
export const readJsonIfThere = async <T>(path: string, schema: z.ZodType<T>): Promise<T | null> =>
  (await isFile(path)) ? readJson(path, schema) : null

/** The first complaint of a schema in one phrase. */
export function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue ? `${issue.path.join('.') || 'the whole'}: ${issue.message.toLowerCase()}` : 'it has another shape'
}

/** Which shard holds each tensor; a shard is a plain name inside the folder, never a path out of it. */
async function readIndex(folder: string): Promise<Map<string, string>> {
  const path = join(folder, INDEX)
  const { weight_map: map } = await readJson(path, Index)
  for (const file of Object.values(map)) {
    if (basename(file) !== file || file.includes('\\') || !file.endsWith('.safetensors')) {
      throw new AppError('file-corrupt', { path, format: 'JSON', reason: `${file} is not the name of a weight file` })
    }
  }
  return new Map(Object.entries(map))
}

/**
 * Opens `model.safetensors`, or the shards named by `model.safetensors.index.json`.
 * @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt, model-tensor-missing (index and shard disagree)
 */
export async function openWeights(folder: string): Promise<WeightFiles> {
  const single = join(folder, SINGLE)
  if ((await isFile(single)) || !(await isFile(join(folder, INDEX)))) {
    const file = await openSafetensors(single)
    return gather(folder, [file], new Map(Array.from(file.tensors.keys(), (name) => [name, file])))
  }
  const index = await readIndex(folder)
  const opened = new Map<string, SafetensorsFile>()
  try {
    for (const name of [...new Set(index.values())].sort()) opened.set(name, await openSafetensors(join(folder, name)))
    const holders = new Map<string, SafetensorsFile>()
    const missing: string[] = []
    for (const [tensor, name] of index) {
      const file = opened.get(name)
      if (file?.tensors.has(tensor)) holders.set(tensor, file)
      else missing.push(tensor)
    }
    const tensor = missing[0]
    if (tensor) throw new AppError('model-tensor-missing', { path: folder, tensor, count: missing.length })
    return gather(folder, [...opened.values()], holders)
  } catch (error) {
    await Promise.all(Array.from(opened.values(), (file) => file.close()))
    throw error
  }
}

function gather(folder: string, files: SafetensorsFile[], holders: Map<string, SafetensorsFile>): WeightFiles {
  const tensors = new Map<string, TensorEntry>()
  for (const [name, file] of holders) {
    const entry = file.tensors.get(name)
    if (entry) tensors.set(name, entry)
  }
  return {
    folder,
    files: files.map((file) => file.path),
    tensors,
    readFloat32: async (name) => {
      const file = holders.get(name)
      if (!file) throw new AppError('model-tensor-missing', { path: folder, tensor: name, count: 1 })
      return file.readFloat32(name)
    },
    scan: async (used) => {
      const hash = createHash('sha256')
      const nonFinite: string[] = []
      for (const file of files) {
        nonFinite.push(...(await scanSafetensors(file, hash, (name) => holders.get(name) === file && used(name))))
      }
      return { sha256: hash.digest('hex'), nonFinite }
    },
    close: async () => {
      await Promise.all(files.map((file) => file.close()))
    },
  }
}
