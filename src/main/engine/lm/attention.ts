/** Causal self-attention with grouped queries, shared by the families. */
import { tf } from '../tf'
import { softCap } from './activations'
import type { KeysValues } from './cache'
import type { BlockContext } from './family'
import { blockHook } from './hooks'
import type { Positions } from './positions'

// Far below any score, yet finite: exp of it is exactly 0 and no backend meets infinity minus infinity.
const MASKED = -1e30

/** [batch, time, heads, headDim] -> [batch, heads, time, headDim] */
export const headsFirst = (x: tf.Tensor4D): tf.Tensor4D => {
  const [batch, time, heads, headDim] = x.shape
  return time === 1 ? tf.reshape(x, [batch, heads, 1, headDim]) : tf.transpose(x, [0, 2, 1, 3])
}

type MaskShape = {
  time: number
  seen: number
  offset: number
  group: number
  window: number | null
  /** Columns at the start that hold no text. */
  padded: number
}

/**
 * Added to scores: 0 where the query in column i = `offset + row` sees key j, a huge negative number elsewhere: above, in padding,
 * and with a window W also at j <= i - W, so that W keys are seen, the query's own included.
 * @returns [group * time, seen], the same rows for every query head of a group
 */
function causalMask({ time, seen, offset, group, window, padded }: MaskShape): tf.Tensor2D {
  const mask = new Float32Array(group * time * seen)
  for (let row = 0; row < group * time; row++) {
    const end = offset + (row % time) + 1
    mask.fill(MASKED, row * seen + Math.min(seen, end), (row + 1) * seen)
    const start = Math.max(padded, window === null ? 0 : end - window)
    mask.fill(MASKED, row * seen, row * seen + Math.min(seen, start))
  }
  return tf.tensor2d(mask, [group * time, seen])
}

/** The newest token alone sees all that is there, unless a window or padding hides some of it. */
function masksOf({
  time,
  seen,
  group,
  positions,
  window,
}: Omit<MaskShape, 'offset' | 'padded'> & { positions: Positions }) {
  const { offset, padding } = positions
  if (time === 1 && padding === null && (window === null || seen <= window)) return []
  return (padding ?? [0]).map((padded) => causalMask({ time, seen, offset, group, window, padded }))
}

type Heads = {
  /** Queries, scaled, those of a group stacked along time [batch * kvHeads, group * time, headDim]. */
  grouped: tf.Tensor3D
  /** All keys and values in order of their positions, in one part or in the two of a cache. */
  seenParts: readonly KeysValues[]
  /** Each [group * time, seen]: one for all rows of the batch, or one for each; none where every query sees every key. */
  masks: tf.Tensor2D[]
  /** Bound of the scores before the mask, or null. */
  cap: number | null
}

/** Pattern of masked scores [..., rows, seen]. */
const patternOf = <T extends tf.Tensor>(scores: T, mask: tf.Tensor | undefined, cap: number | null): T =>
  tf.softmax(mask ? tf.add<T>(softCap(scores, cap), mask) : softCap(scores, cap))

/** All heads in one batched product. @returns patterns [batch * kvHeads, group * time, seen] */
function batchedPattern({ grouped, seenParts, masks, cap }: Heads): tf.Tensor3D {
  const perRow = grouped.shape[0] / masks.length
  const repeated = () => tf.stack(masks.flatMap((mask) => Array.from({ length: perRow }, () => mask)))
  const mask = masks.length > 1 ? repeated() : masks[0]
  const scores = seenParts.map(({ keys }) => tf.matMul<tf.Tensor3D>(grouped, keys, false, true))
  return patternOf<tf.Tensor3D>(joinParts(scores, 2), mask, cap)
}

/** Parts of what is seen as one, along the axis of positions. */
const joinParts = (parts: tf.Tensor3D[], axis: number): tf.Tensor3D => {
  const [only] = parts
  return parts.length === 1 && only ? only : tf.concat(parts, axis)
}

/** pattern v, part by part. @param pattern [batch * kvHeads, rows, seen] */
function mixValues(pattern: tf.Tensor3D, seenParts: readonly KeysValues[]): tf.Tensor3D {
  const [only] = seenParts
  if (seenParts.length === 1 && only) return tf.matMul(pattern, only.values)
  const lengths = seenParts.map(({ values }) => values.shape[1])
  const patterns = tf.split(pattern, lengths, 2)
  return tf.addN(
    seenParts.flatMap(({ values }, i) => {
      const own = patterns[i]
      return own ? [tf.matMul<tf.Tensor3D>(own, values)] : []
    }),
  )
}

/**
 * The same head by head. wasm has its fast kernel only for products of two matrices, and its slices copy the whole tensor they
 * are taken from; so heads are cut out of plain arrays. That leaves no tape, so it must not run while gradients are recorded.
 * @returns mixed values [batch * kvHeads, group * time, headDim]
 */
function attendHeadByHead({ grouped, seenParts, masks, cap }: Heads): tf.Tensor3D {
  const [pairs, rows, headDim] = grouped.shape
  const keys = joinParts(
    seenParts.map((part) => part.keys),
    1,
  )
  const values = joinParts(
    seenParts.map((part) => part.values),
    1,
  )
  const seen = keys.shape[1]
  const parts = [grouped, tf.transpose(keys, [0, 2, 1]), values].map((x) => x.dataSync())
  const mixed = new Float32Array(pairs * rows * headDim)
  for (let pair = 0; pair < pairs; pair++) {
    const cut = (part: number, shape: [number, number]) => {
      const length = shape[0] * shape[1]
      return tf.tensor2d(parts[part]?.subarray(pair * length, (pair + 1) * length) ?? [], shape)
    }
    const head = tf.tidy(() => {
      const scores: tf.Tensor2D = tf.matMul(cut(0, [rows, headDim]), cut(1, [headDim, seen]))
      const mask = masks[Math.floor((pair * masks.length) / pairs)]
      return tf.matMul(patternOf(scores, mask, cap), cut(2, [seen, headDim]))
    })
    mixed.set(head.dataSync(), pair * rows * headDim)
    head.dispose()
  }
  return tf.tensor3d(mixed, [pairs, rows, headDim])
}

// Below this many scores per head the calls of the head-by-head route cost more than they save.
const WORTH_SPLITTING = 512

/** The route is a matter of the backend, the shapes and the tape only, never of a clock. */
const goesHeadByHead = (scores: number) =>
  tf.getBackend() === 'wasm' && scores >= WORTH_SPLITTING && !tf.engine().isTapeOn()

/** In what the attention of a family differs from the plain one. */
export type AttentionLimits = {
  /** Keys a query sees, its own included; null for all before it. */
  window?: number | null
  /** Bound of the scores (Gemma 2): x becomes softCap tanh(x / softCap). */
  softCap?: number | null
}

/**
 * softmax(cap(q k^T) + mask) v, where neighbouring query heads share a key head.
 * Query heads of a group are stacked along time, so that grouped queries need no copies of keys and values.
 * @param q queries, scaled [batch, heads, time, headDim]
 * @param k keys [batch, kvHeads, time, headDim]; `v` likewise
 * @returns [batch, time, heads * headDim]; without meaning when the pass has stopped at the pattern or at hook_z
 */
export function attend(
  { q, k, v }: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D },
  { pass, layer, positions, cache }: BlockContext,
  limits: AttentionLimits = {},
): tf.Tensor3D {
  const [batch, heads, time, headDim] = q.shape
  const kvHeads = k.shape[1]
  const group = heads / kvHeads
  const flat = (x: tf.Tensor4D): tf.Tensor3D => tf.reshape(x, [batch * kvHeads, time, headDim])
  const seenParts = cache ? cache.extend(flat(k), flat(v)) : [{ keys: flat(k), values: flat(v) }]
  const seen = seenParts.reduce((sum, { keys }) => sum + keys.shape[1], 0)
  const grouped: tf.Tensor3D = tf.reshape(q, [batch * kvHeads, group * time, headDim])
  const parts = {
    grouped,
    seenParts,
    masks: masksOf({ time, seen, group, positions, window: limits.window ?? null }),
    cap: limits.softCap ?? null,
  }
  const hookName = blockHook(layer, 'attn.hook_pattern')
  const mixed = pass.tidy<tf.Tensor3D>(() => {
    if (goesHeadByHead(time * seen) && !pass.wants(hookName)) return attendHeadByHead(parts)
    const computed = tf.tidy(() => tf.reshape<tf.Rank.R4>(batchedPattern(parts), [batch, heads, time, seen]))
    const pattern = pass.visit(hookName, computed)
    return mixValues(tf.reshape(pattern, [batch * kvHeads, group * time, seen]), seenParts)
  })
  const perHead: tf.Tensor4D = tf.transpose(tf.reshape(mixed, [batch, heads, time, headDim]), [0, 2, 1, 3])
  const z = pass.hasStopped() ? perHead : pass.visit(blockHook(layer, 'attn.hook_z'), perHead)
  return tf.reshape(z, [batch, time, heads * headDim])
}
