/**
 * The file a feature atlas is kept in: one safetensors file, so that any tool of the field can read it.
 *
 * | tensor              | type | shape   | meaning                                                        |
 * | ------------------- | ---- | ------- | -------------------------------------------------------------- |
 * | `fired`             | F64  | [F]     | tokens on which the feature is above zero                      |
 * | `sum`               | F64  | [F]     | sum of its activations                                         |
 * | `max`               | F32  | [F]     | largest activation, 0 for a silent feature                     |
 * | `histogram`         | F32  | [F, 50] | counts of non-zero activations in equal bins from 0 to `max`   |
 * | `context.feature`   | I32  | [N]     | rows are sorted by feature, then by `context.max`, descending  |
 * | `context.document`  | I32  | [N]     | index of the document in the dataset                           |
 * | `context.position`  | I32  | [N]     | position of the peak token in its document, BOS not counted    |
 * | `context.start`     | I32  | [N]     | position of the first stored token in its document             |
 * | `context.max`       | F32  | [N]     | activation at the peak                                         |
 * | `context.length`    | I32  | [N]     | stored tokens, at most 32                                      |
 * | `context.ids`       | I32  | [N, 32] | token ids, padded with -1                                      |
 * | `context.values`    | F32  | [N, 32] | activation of the feature at each token, padded with 0         |
 *
 * The header's `__metadata__` holds `format`, `tokens`, `documents`, `dropped_tokens` and what the figures rest on, as strings.
 */
import { AppError } from '../../shared/errors'
import { openSafetensors, writeSafetensors } from './safetensors'

export const HISTOGRAM_BINS = 50
export const CONTEXT_TOKENS = 32
const FORMAT = 'monoscope-atlas-1'

type I32 = Int32Array<ArrayBuffer>
type F32 = Float32Array<ArrayBuffer>
type F64 = Float64Array<ArrayBuffer>

/** N contexts as columns; rows sorted by feature, then by `max` descending. */
export type AtlasContexts = {
  /** [N] */
  feature: I32
  document: I32
  position: I32
  start: I32
  max: F32
  length: I32
  /** [N, 32] padded with -1. */
  ids: I32
  /** [N, 32] padded with 0. */
  values: F32
}

export type AtlasInfo = {
  /** Tokens encoded; BOS and sinks are not among them. */
  tokens: number
  documents: number
  /** BOS tokens and attention sinks that were left out. */
  droppedTokens: number
  /** Model, hook, hashes, seed, backend: whatever the writer knew. */
  origin: Record<string, string>
}

export type Atlas = AtlasInfo & {
  dSae: number
  /** [dSae] */
  fired: F64
  sum: F64
  max: F32
  /** [dSae, 50] */
  histogram: F32
  contexts: AtlasContexts
}

/** Writes the atlas under a temporary name and renames it. */
export async function writeAtlas(path: string, atlas: Atlas): Promise<void> {
  const { contexts, dSae } = atlas
  const n = contexts.feature.length
  const f32 = (data: F32, shape: number[]) => ({ dtype: 'F32' as const, shape, data })
  const f64 = (data: F64, shape: number[]) => ({ dtype: 'F64' as const, shape, data })
  const i32 = (data: I32, shape: number[]) => ({ dtype: 'I32' as const, shape, data })
  const tensors = {
    fired: f64(atlas.fired, [dSae]),
    sum: f64(atlas.sum, [dSae]),
    max: f32(atlas.max, [dSae]),
    histogram: f32(atlas.histogram, [dSae, HISTOGRAM_BINS]),
    'context.feature': i32(contexts.feature, [n]),
    'context.document': i32(contexts.document, [n]),
    'context.position': i32(contexts.position, [n]),
    'context.start': i32(contexts.start, [n]),
    'context.max': f32(contexts.max, [n]),
    'context.length': i32(contexts.length, [n]),
    'context.ids': i32(contexts.ids, [n, CONTEXT_TOKENS]),
    'context.values': f32(contexts.values, [n, CONTEXT_TOKENS]),
  }
  await writeSafetensors(path, tensors, {
    ...atlas.origin,
    format: FORMAT,
    tokens: String(atlas.tokens),
    documents: String(atlas.documents),
    dropped_tokens: String(atlas.droppedTokens),
  })
}

const OWN_KEYS = new Set(['format', 'tokens', 'documents', 'dropped_tokens'])

/**
 * Reads an atlas file whole.
 * @throws AppError file-missing, file-truncated, file-corrupt
 */
export async function readAtlas(path: string): Promise<Atlas> {
  const file = await openSafetensors(path)
  try {
    const corrupt = (reason: string) => new AppError('file-corrupt', { path, format: 'Monoscope atlas', reason })
    const metadata = file.metadata
    if (metadata.format !== FORMAT) throw corrupt(`format ${metadata.format ?? 'unknown'}`)
    const count = (key: string) => {
      const value = Number(metadata[key])
      if (!Number.isSafeInteger(value) || value < 0) throw corrupt(`${key} is ${metadata[key] ?? 'missing'}`)
      return value
    }
    const dSae = file.tensors.get('max')?.shape[0]
    const n = file.tensors.get('context.feature')?.shape[0]
    if (dSae === undefined || n === undefined) throw corrupt('statistics are missing')
    const read = async (name: string, shape: number[]) => {
      const entry = file.tensors.get(name)
      if (entry?.shape.join() !== shape.join()) throw corrupt(`tensor ${name} is not of shape [${shape.join(', ')}]`)
      return (await file.read(name)).data
    }
    const wrongType = (name: string) => corrupt(`tensor ${name} has another element type`)
    const f32 = async (name: string, shape: number[]) => {
      const data = await read(name, shape)
      if (!(data instanceof Float32Array)) throw wrongType(name)
      return data
    }
    const f64 = async (name: string, shape: number[]) => {
      const data = await read(name, shape)
      if (!(data instanceof Float64Array)) throw wrongType(name)
      return data
    }
    const i32 = async (name: string, shape: number[]) => {
      const data = await read(name, shape)
      if (!(data instanceof Int32Array)) throw wrongType(name)
      return data
    }
    return {
      tokens: count('tokens'),
      documents: count('documents'),
      droppedTokens: count('dropped_tokens'),
      origin: Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_KEYS.has(key))),
      dSae,
      fired: await f64('fired', [dSae]),
      sum: await f64('sum', [dSae]),
      max: await f32('max', [dSae]),
      histogram: await f32('histogram', [dSae, HISTOGRAM_BINS]),
      contexts: {
        feature: await i32('context.feature', [n]),
        document: await i32('context.document', [n]),
        position: await i32('context.position', [n]),
        start: await i32('context.start', [n]),
        max: await f32('context.max', [n]),
        length: await i32('context.length', [n]),
        ids: await i32('context.ids', [n, CONTEXT_TOKENS]),
        values: await f32('context.values', [n, CONTEXT_TOKENS]),
      },
    }
  } finally {
    await file.close()
  }
}
