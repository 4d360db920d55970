/**
 * What the weights alone say of features: the length of decoder rows, how alike encoder and decoder are, which other features write in a
 * similar direction, and which tokens a feature makes more and less likely. Exact: every pair of features and every token is looked at,
 * a block of rows at a time.
 */
import type { tf } from '../tf'
import type { StoredSae } from '../sae/loaded'
import { HISTOGRAM_BINS, LOGIT_TOKENS, NEIGHBOURS } from '../../files/atlas-file'
import type { AtlasLogits, AtlasWeights } from '../../files/atlas-file'
import { Largest } from './largest'
import { inBlocks, nearestRows } from './nearest-rows'

/** Shorter decoder rows have no direction. */
const SMALLEST_NORM = 1e-12

/** Rows [n, dModel] of the residual stream to what they add to the logits [n, vocabulary]. */
export type DirectLogits = (directions: tf.Tensor2D) => tf.Tensor2D

type Logits = {
  project: DirectLogits
  /** Rows of the unembedding. */
  vocabulary: number
  /** Whether the tokenizer has a token of that id: embeddings are padded, and rows that stand for no token are left out. */
  isToken: (id: number) => boolean
}

type Decoder = { rows: Float32Array; norms: Float32Array<ArrayBuffer>; dSae: number; dIn: number }

export type WeightsOptions = {
  sae: StoredSae
  /** Null where the autoencoder does not act on the residual stream, so that its rows have no direct effect on logits. */
  logits: Logits | null
  /** Called between blocks; false ends the work early. */
  onBlock: () => Promise<boolean>
}

/** W_dec [dSae, dIn] with the lengths of its rows. */
export function decoderOf({ weights, dSae, dIn }: StoredSae): Decoder {
  const rows = weightOf(weights, 'wDec')
  const norms = Float32Array.from({ length: dSae }, (_, i) => {
    let sum = 0
    for (let at = i * dIn; at < (i + 1) * dIn; at++) sum += (rows[at] ?? 0) ** 2
    return Math.sqrt(sum)
  })
  return { rows, norms, dSae, dIn }
}

function weightOf(weights: StoredSae['weights'], name: string): Float32Array {
  const weight = weights[name]
  if (!weight) throw new Error(`weight ${name} is missing`)
  return weight.data
}

/** cos(W_enc[:, i], W_dec[i]) of every feature [dSae]; 0 where one of them is zero. */
function encoderCosines({ weights }: StoredSae, { rows, norms, dSae, dIn }: Decoder): Float32Array<ArrayBuffer> {
  const columns = weightOf(weights, 'wEnc')
  const products = new Float64Array(dSae)
  const squares = new Float64Array(dSae)
  for (let j = 0; j < dIn; j++) {
    for (let i = 0; i < dSae; i++) {
      const x = columns[j * dSae + i] ?? 0
      products[i] = (products[i] ?? 0) + x * (rows[i * dIn + j] ?? 0)
      squares[i] = (squares[i] ?? 0) + x * x
    }
  }
  return Float32Array.from(products, (product, i) => {
    const length = Math.sqrt(squares[i] ?? 0) * (norms[i] ?? 0)
    return length > SMALLEST_NORM ? product / length : 0
  })
}

/** Decoder rows of length 1 [dSae, dIn]; those without a direction stay as they are. */
export const unitRows = ({ rows, norms, dIn }: Decoder): Float32Array =>
  rows.map((x, at) => x / Math.max(norms[Math.floor(at / dIn)] ?? 0, SMALLEST_NORM))

/** The features whose decoder rows have the largest cosine with each feature's own, the lower index first among equals. */
async function findNeighbours(decoder: Decoder, onBlock: WeightsOptions['onBlock']) {
  const { norms, dIn } = decoder
  const unit = { rows: unitRows(decoder), dIn }
  const isAllowed = (i: number, j: number) => j !== i && hasDirection(norms, i) && hasDirection(norms, j)
  const near = await nearestRows({ of: unit, among: unit, count: NEIGHBOURS, isAllowed, onBlock })
  return near && { neighbours: near.indexes, neighbourCosines: near.cosines }
}

/** Whether the decoder row of a feature points anywhere. */
export const hasDirection = (norms: Float32Array, i: number) => (norms[i] ?? 0) > SMALLEST_NORM

/** The tokens at both ends of each feature's logit weights, and how these are spread. */
async function findLogits(
  decoder: Decoder,
  { project, vocabulary, isToken }: Logits,
  onBlock: WeightsOptions['onBlock'],
): Promise<AtlasLogits | null> {
  const { dSae } = decoder
  const found = {
    ids: new Int32Array(dSae * 2 * LOGIT_TOKENS).fill(-1),
    values: new Float32Array(dSae * 2 * LOGIT_TOKENS),
    histogram: new Float32Array(dSae * HISTOGRAM_BINS),
    range: new Float32Array(dSae * 2),
  }
  const [top, bottom] = [new Largest(LOGIT_TOKENS), new Largest(LOGIT_TOKENS)]
  const tokens = Array.from({ length: vocabulary }, (_, id) => id).filter(isToken)
  const weights = new Float32Array(tokens.length)
  const take = (products: Float32Array, first: number, count: number) => {
    for (let row = 0; row < count; row++) {
      top.clear()
      bottom.clear()
      tokens.forEach((token, at) => {
        const value = products[row * vocabulary + token] ?? 0
        weights[at] = value
        top.offer(token, value)
        bottom.offer(token, -value)
      })
      const at = (first + row) * 2 * LOGIT_TOKENS
      found.ids.set(top.indexes(), at)
      found.values.set(top.values(), at)
      found.ids.set(bottom.indexes(), at + LOGIT_TOKENS)
      found.values.set(
        bottom.values().map((value) => -value),
        at + LOGIT_TOKENS,
      )
      const [low, high] = [-(bottom.values()[0] ?? 0), top.values()[0] ?? 0]
      found.range.set([low, high], (first + row) * 2)
      countInBins(
        weights,
        { low, high },
        found.histogram.subarray((first + row) * HISTOGRAM_BINS).subarray(0, HISTOGRAM_BINS),
      )
    }
  }
  return (await inBlocks(decoder, vocabulary, { multiply: project, take, onBlock })) ? found : null
}

/** Counts values in equal bins from `low` to `high`; all in the first one where they are equal. */
function countInBins(values: Float32Array, { low, high }: { low: number; high: number }, bins: Float32Array): void {
  const scale = high > low ? bins.length / (high - low) : 0
  for (const value of values) {
    const bin = Math.max(0, Math.min(bins.length - 1, Math.floor((value - low) * scale)))
    bins[bin] = (bins[bin] ?? 0) + 1
  }
}

/**
 * @returns null when `onBlock` said to stop
 * @throws Error when the autoencoder has no encoder or decoder
 */
export async function measureWeights({ sae, logits, onBlock }: WeightsOptions): Promise<AtlasWeights | null> {
  const decoder = decoderOf(sae)
  const near = await findNeighbours(decoder, onBlock)
  if (!near) return null
  const effects = logits && (await findLogits(decoder, logits, onBlock))
  if (logits && !effects) return null
  return {
    decoderNorm: decoder.norms,
    encoderCosine: encoderCosines(sae, decoder),
    ...near,
    logits: effects,
  }
}
