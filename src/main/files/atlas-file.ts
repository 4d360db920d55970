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
 * | `decoder.norm`      | F32  | [F]     | length of the decoder row                                      |
 * | `encoder.cosine`    | F32  | [F]     | cosine between encoder column and decoder row                  |
 * | `neighbour.index`   | I32  | [F, 20] | features with the largest cosine between decoder rows, or -1   |
 * | `neighbour.cosine`  | F32  | [F, 20] | those cosines, descending                                      |
 * | `logit.ids`         | I32  | [F, 20] | ten tokens with the largest logit weight, ten with the smallest |
 * | `logit.values`      | F32  | [F, 20] | their logit weights                                            |
 * | `logit.histogram`   | F32  | [F, 50] | tokens of the vocabulary in equal bins over `logit.range`      |
 * | `logit.range`       | F32  | [F, 2]  | smallest and largest logit weight                              |
 *
 * `logit.*` is absent where the autoencoder does not act on the residual stream. Format 1 ended with the contexts.
 * The header's `__metadata__` holds `format`, `tokens`, `documents`, `dropped_tokens` and what the figures rest on, as strings.
 */
import { AppError } from '../../shared/errors'
import { openSafetensors, writeSafetensors } from './safetensors'
import type { SafetensorsFile } from './safetensors'

export const HISTOGRAM_BINS = 50
export const CONTEXT_TOKENS = 32
/** Nearest features that are kept for each. */
export const NEIGHBOURS = 20
/** Tokens that are kept from each end of the logit weights. */
export const LOGIT_TOKENS = 10
const FORMAT = 'monoscope-atlas-2'
const OLDER_FORMAT = 'monoscope-atlas-1'

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

export type AtlasLogits = {
  /** [dSae, 20]: the ten largest from the largest down, then the ten smallest from the smallest up; padded with -1. */
  ids: I32
  values: F32
  /** [dSae, 50] counts of tokens. */
  histogram: F32
  /** [dSae, 2] smallest and largest. */
  range: F32
}

/** What the weights alone say of the features. */
export type AtlasWeights = {
  /** [dSae] */
  decoderNorm: F32
  encoderCosine: F32
  /** [dSae, 20] padded with -1 and 0. */
  neighbours: I32
  neighbourCosines: F32
  logits: AtlasLogits | null
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
  /** Null in files of format 1. */
  weights: AtlasWeights | null
}

const f32 = (data: F32, shape: number[]) => ({ dtype: 'F32' as const, shape, data })
const f64 = (data: F64, shape: number[]) => ({ dtype: 'F64' as const, shape, data })
const i32 = (data: I32, shape: number[]) => ({ dtype: 'I32' as const, shape, data })

function weightTensors({ logits, ...weights }: AtlasWeights, dSae: number) {
  return {
    'decoder.norm': f32(weights.decoderNorm, [dSae]),
    'encoder.cosine': f32(weights.encoderCosine, [dSae]),
    'neighbour.index': i32(weights.neighbours, [dSae, NEIGHBOURS]),
    'neighbour.cosine': f32(weights.neighbourCosines, [dSae, NEIGHBOURS]),
    ...(logits && {
      'logit.ids': i32(logits.ids, [dSae, 2 * LOGIT_TOKENS]),
      'logit.values': f32(logits.values, [dSae, 2 * LOGIT_TOKENS]),
      'logit.histogram': f32(logits.histogram, [dSae, HISTOGRAM_BINS]),
      'logit.range': f32(logits.range, [dSae, 2]),
    }),
  }
}

/** Writes the atlas under a temporary name and renames it. */
export async function writeAtlas(path: string, atlas: Atlas): Promise<void> {
  const { contexts, dSae } = atlas
  const n = contexts.feature.length
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
    ...(atlas.weights && weightTensors(atlas.weights, dSae)),
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

/** Tensors of an open atlas file, each refused where it is missing or another than the format says. */
class Columns {
  constructor(
    private readonly file: SafetensorsFile,
    private readonly path: string,
  ) {}

  corrupt(reason: string): AppError {
    return new AppError('file-corrupt', { path: this.path, format: 'Monoscope atlas', reason })
  }

  async f32(name: string, shape: number[]): Promise<F32> {
    const data = await this.read(name, shape)
    if (!(data instanceof Float32Array)) throw this.wrongType(name)
    return data
  }

  async f64(name: string, shape: number[]): Promise<F64> {
    const data = await this.read(name, shape)
    if (!(data instanceof Float64Array)) throw this.wrongType(name)
    return data
  }

  async i32(name: string, shape: number[]): Promise<I32> {
    const data = await this.read(name, shape)
    if (!(data instanceof Int32Array)) throw this.wrongType(name)
    return data
  }

  private async read(name: string, shape: number[]) {
    const entry = this.file.tensors.get(name)
    if (entry?.shape.join() !== shape.join()) throw this.corrupt(`tensor ${name} is not of shape [${shape.join(', ')}]`)
    return (await this.file.read(name)).data
  }

  private wrongType(name: string): AppError {
    return this.corrupt(`tensor ${name} has another element type`)
  }
}

async function readContexts(columns: Columns, n: number): Promise<AtlasContexts> {
  return {
    feature: await columns.i32('context.feature', [n]),
    document: await columns.i32('context.document', [n]),
    position: await columns.i32('context.position', [n]),
    start: await columns.i32('context.start', [n]),
    max: await columns.f32('context.max', [n]),
    length: await columns.i32('context.length', [n]),
    ids: await columns.i32('context.ids', [n, CONTEXT_TOKENS]),
    values: await columns.f32('context.values', [n, CONTEXT_TOKENS]),
  }
}

async function readWeights(columns: Columns, dSae: number, hasLogits: boolean): Promise<AtlasWeights> {
  return {
    decoderNorm: await columns.f32('decoder.norm', [dSae]),
    encoderCosine: await columns.f32('encoder.cosine', [dSae]),
    neighbours: await columns.i32('neighbour.index', [dSae, NEIGHBOURS]),
    neighbourCosines: await columns.f32('neighbour.cosine', [dSae, NEIGHBOURS]),
    logits: hasLogits
      ? {
          ids: await columns.i32('logit.ids', [dSae, 2 * LOGIT_TOKENS]),
          values: await columns.f32('logit.values', [dSae, 2 * LOGIT_TOKENS]),
          histogram: await columns.f32('logit.histogram', [dSae, HISTOGRAM_BINS]),
          range: await columns.f32('logit.range', [dSae, 2]),
        }
      : null,
  }
}

/**
 * Reads an atlas file whole.
 * @throws AppError file-missing, file-truncated, file-corrupt
 */
export async function readAtlas(path: string): Promise<Atlas> {
  const file = await openSafetensors(path)
  try {
    const { metadata, tensors } = file
    const columns = new Columns(file, path)
    if (metadata.format !== FORMAT && metadata.format !== OLDER_FORMAT) {
      throw columns.corrupt(`format ${metadata.format ?? 'unknown'}`)
    }
    const count = (key: string) => {
      const value = Number(metadata[key])
      if (!Number.isSafeInteger(value) || value < 0) throw columns.corrupt(`${key} is ${metadata[key] ?? 'missing'}`)
      return value
    }
    const dSae = tensors.get('max')?.shape[0]
    const n = tensors.get('context.feature')?.shape[0]
    if (dSae === undefined || n === undefined) throw columns.corrupt('statistics are missing')
    return {
      tokens: count('tokens'),
      documents: count('documents'),
      droppedTokens: count('dropped_tokens'),
      origin: Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_KEYS.has(key))),
      dSae,
      fired: await columns.f64('fired', [dSae]),
      sum: await columns.f64('sum', [dSae]),
      max: await columns.f32('max', [dSae]),
      histogram: await columns.f32('histogram', [dSae, HISTOGRAM_BINS]),
      contexts: await readContexts(columns, n),
      weights: metadata.format === FORMAT ? await readWeights(columns, dSae, tensors.has('logit.ids')) : null,
    }
  } finally {
    await file.close()
  }
}
