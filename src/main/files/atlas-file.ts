/**
 * The file a feature atlas is kept in: one safetensors file, so that any tool of the field can read it.
 *
 * | tensor              | type | shape   | meaning                                                          |
 * | ------------------- | ---- | ------- | ---------------------------------------------------------------- |
 * | `fired`             | F64  | [F]     | tokens on which the feature is above zero                        |
 * | `sum`               | F64  | [F]     | sum of its activations                                           |
 * | `max`               | F32  | [F]     | largest activation, 0 for a silent feature                       |
 * | `histogram`         | F32  | [F, 50] | counts of non-zero activations in equal bins from 0 to `max`     |
 * | `interval.width`    | F32  | [F]     | an eighth of the smallest power of two above `max`               |
 * | `interval.fired`    | F64  | [F, 8]  | activations in each interval of that width, from 0 up            |
 * | `context.feature`   | I32  | [N]     | rows are sorted by feature; of each the strongest contexts first |
 * | `context.interval`  | U8   | [N]     | 255 for the strongest; else the interval it was drawn from       |
 * | `context.document`  | I32  | [N]     | index of the document in the dataset                             |
 * | `context.start`     | I32  | [N]     | position of the first token in its document, BOS not counted     |
 * | `context.length`    | U8   | [N]     | tokens, at most 32                                               |
 * | `context.marked`    | U8   | [N]     | the token that was found, from `start`                           |
 * | `context.value`     | F32  | [N]     | activation at that token                                         |
 * | `context.pairs`     | I32  | [N + 1] | row n's active tokens are the pairs from pairs[n] to pairs[n + 1] |
 * | `pair.token`        | U8   | [P]     | a token on which the feature is active, from `context.start`     |
 * | `pair.value`        | F16  | [P]     | activation there                                                 |
 * | `together.index`    | I32  | [F, 20] | features most often active on its tokens, or -1                  |
 * | `together.share`    | F32  | [F, 20] | share of its sampled tokens on which they are                    |
 * | `together.sampled`  | I32  | [F]     | tokens that were sampled                                         |
 * | `decoder.norm`      | F32  | [F]     | length of the decoder row                                        |
 * | `encoder.cosine`    | F32  | [F]     | cosine between encoder column and decoder row                    |
 * | `neighbour.index`   | I32  | [F, 20] | features with the largest cosine between decoder rows, or -1     |
 * | `neighbour.cosine`  | F32  | [F, 20] | those cosines, descending                                        |
 * | `logit.ids`         | I32  | [F, 20] | ten tokens with the largest logit weight, ten with the smallest  |
 * | `logit.values`      | F32  | [F, 20] | their logit weights                                              |
 * | `logit.histogram`   | F32  | [F, 50] | tokens of the vocabulary in equal bins over `logit.range`        |
 * | `logit.range`       | F32  | [F, 2]  | smallest and largest logit weight                                |
 *
 * `logit.*` is absent where the autoencoder does not act on the residual stream. Token ids are not in here: they are stored once per
 * corpus, see corpus-tokens.ts. Only this format, the third, is read: an atlas can be made again.
 * The header's `__metadata__` holds `format`, `tokens`, `documents`, `bos_tokens`, `sink_tokens` and what the figures rest on.
 */
import { AtlasColumnReader } from './atlas-columns'
import { narrowHalf } from './element-types'
import { openSafetensors, writeSafetensors } from './safetensors'

export const HISTOGRAM_BINS = 50
export const CONTEXT_TOKENS = 32
/** Nearest features that are kept for each. */
export const NEIGHBOURS = 20
/** Tokens that are kept from each end of the logit weights. */
export const LOGIT_TOKENS = 10
/** Features that are kept for each because they are active together. */
export const TOGETHER = 20
/** Equal intervals over the power of two above a feature's largest activation. */
export const INTERVALS = 8
/** In place of an interval: one of the strongest contexts. */
export const TOP_INTERVAL = 255
export const ATLAS_FORMAT = 'monoscope-atlas-3'

type I32 = Int32Array<ArrayBuffer>
type F32 = Float32Array<ArrayBuffer>
type F64 = Float64Array<ArrayBuffer>

type U8 = Uint8Array<ArrayBuffer>

/** N contexts as columns; of each feature the strongest from the top down, then random ones from the upper intervals to the lower. */
export type AtlasContexts = {
  /** [N] */
  feature: I32
  /** {@link TOP_INTERVAL} or the interval. */
  interval: U8
  document: I32
  start: I32
  length: U8
  marked: U8
  value: F32
  /** [N + 1] into the pairs [P]: token from `start`, half-precision pattern. */
  pairs: I32
  pairToken: U8
  pairValue: Uint16Array<ArrayBuffer>
}

/** Features that are active together. */
export type AtlasTogether = {
  /** [dSae, 20] padded with -1. */
  indexes: I32
  shares: F32
  /** [dSae] */
  sampled: I32
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
  /** Left out: BOS tokens, and attention sinks. */
  bosTokens: number
  sinkTokens: number
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
  /** [dSae], [dSae, 8] */
  intervalWidth: F32
  intervalFired: F64
  contexts: AtlasContexts
  together: AtlasTogether
  weights: AtlasWeights
}

const f32 = (data: F32, shape: number[]) => ({ dtype: 'F32' as const, shape, data })
const f64 = (data: F64, shape: number[]) => ({ dtype: 'F64' as const, shape, data })
const i32 = (data: I32, shape: number[]) => ({ dtype: 'I32' as const, shape, data })
const u8 = (data: U8, shape: number[]) => ({ dtype: 'U8' as const, shape, data })
const f16 = (data: Uint16Array<ArrayBuffer>, shape: number[]) => ({ dtype: 'F16' as const, shape, data })

function contextTensors(contexts: AtlasContexts) {
  const n = contexts.feature.length
  const pairs = contexts.pairToken.length
  return {
    'context.feature': i32(contexts.feature, [n]),
    'context.interval': u8(contexts.interval, [n]),
    'context.document': i32(contexts.document, [n]),
    'context.start': i32(contexts.start, [n]),
    'context.length': u8(contexts.length, [n]),
    'context.marked': u8(contexts.marked, [n]),
    'context.value': f32(contexts.value, [n]),
    'context.pairs': i32(contexts.pairs, [n + 1]),
    'pair.token': u8(contexts.pairToken, [pairs]),
    'pair.value': f16(contexts.pairValue, [pairs]),
  }
}

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
  const { together, dSae } = atlas
  const tensors = {
    fired: f64(atlas.fired, [dSae]),
    sum: f64(atlas.sum, [dSae]),
    max: f32(atlas.max, [dSae]),
    histogram: f32(atlas.histogram, [dSae, HISTOGRAM_BINS]),
    'interval.width': f32(atlas.intervalWidth, [dSae]),
    'interval.fired': f64(atlas.intervalFired, [dSae, INTERVALS]),
    ...contextTensors(atlas.contexts),
    'together.index': i32(together.indexes, [dSae, TOGETHER]),
    'together.share': f32(together.shares, [dSae, TOGETHER]),
    'together.sampled': i32(together.sampled, [dSae]),
    ...weightTensors(atlas.weights, dSae),
  }
  await writeSafetensors(path, tensors, {
    ...atlas.origin,
    format: ATLAS_FORMAT,
    tokens: String(atlas.tokens),
    documents: String(atlas.documents),
    bos_tokens: String(atlas.bosTokens),
    sink_tokens: String(atlas.sinkTokens),
  })
}

const OWN_KEYS = new Set(['format', 'tokens', 'documents', 'bos_tokens', 'sink_tokens'])

async function readContexts(
  columns: AtlasColumnReader,
  n: number,
  { pairs, dSae }: { pairs: number; dSae: number },
): Promise<AtlasContexts> {
  const contexts = {
    feature: await columns.places('context.feature', [n], dSae),
    interval: await columns.u8('context.interval', [n]),
    document: await columns.places('context.document', [n]),
    start: await columns.places('context.start', [n]),
    length: await columns.u8('context.length', [n]),
    marked: await columns.u8('context.marked', [n]),
    value: await columns.f32('context.value', [n]),
    pairs: await columns.i32('context.pairs', [n + 1]),
    pairToken: await columns.u8('pair.token', [pairs]),
    pairValue: toHalves(await columns.f32('pair.value', [pairs])),
  }
  const isAscending = contexts.pairs.every((at, row) => at >= (row === 0 ? 0 : (contexts.pairs[row - 1] ?? 0)))
  if (!isAscending || contexts.pairs[n] !== pairs) throw columns.corrupt('the pairs of its contexts do not fit')
  return contexts
}

/** Back to what was stored; exact, since the values were halves. */
function toHalves(values: F32): Uint16Array<ArrayBuffer> {
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length)
  return Uint16Array.from(patterns, narrowHalf)
}

async function readWeights(columns: AtlasColumnReader, dSae: number, hasLogits: boolean): Promise<AtlasWeights> {
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
    const columns = new AtlasColumnReader(file, path)
    if (metadata.format !== ATLAS_FORMAT) throw columns.corrupt(`format ${metadata.format ?? 'unknown'}`)
    const count = (key: string) => {
      const value = Number(metadata[key])
      if (!Number.isSafeInteger(value) || value < 0) throw columns.corrupt(`${key} is ${metadata[key] ?? 'missing'}`)
      return value
    }
    const lengthOf = (name: string) => {
      const length = tensors.get(name)?.shape[0]
      if (length === undefined) throw columns.corrupt(`tensor ${name} is missing`)
      return length
    }
    const dSae = lengthOf('max')
    return {
      tokens: count('tokens'),
      documents: count('documents'),
      bosTokens: count('bos_tokens'),
      sinkTokens: count('sink_tokens'),
      origin: Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_KEYS.has(key))),
      dSae,
      fired: await columns.f64('fired', [dSae]),
      sum: await columns.f64('sum', [dSae]),
      max: await columns.f32('max', [dSae]),
      histogram: await columns.f32('histogram', [dSae, HISTOGRAM_BINS]),
      intervalWidth: await columns.f32('interval.width', [dSae]),
      intervalFired: await columns.f64('interval.fired', [dSae, INTERVALS]),
      contexts: await readContexts(columns, lengthOf('context.feature'), { pairs: lengthOf('pair.token'), dSae }),
      together: {
        indexes: await columns.i32('together.index', [dSae, TOGETHER]),
        shares: await columns.f32('together.share', [dSae, TOGETHER]),
        sampled: await columns.i32('together.sampled', [dSae]),
      },
      weights: await readWeights(columns, dSae, tensors.has('logit.ids')),
    }
  } finally {
    await file.close()
  }
}
