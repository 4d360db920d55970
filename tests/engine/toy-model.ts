/** A model small enough to compute by hand: the residual stream is the token's vector plus a little of the one before it. */
import { LanguageModel } from '../../src/main/engine/lm'
import type { SaeWeights } from '../../src/main/engine/sae/architecture'
import { Random } from '../../src/main/engine/train/random'
import { tf } from '../../src/main/engine/tf'

export const TOY = { vocabulary: 40, dIn: 6, dSae: 17, bosId: 1, contextSize: 24, hookName: 'blocks.0.hook_resid_post' }
/** A token with a norm far beyond all others. */
export const SINK_ID = 5

/** As a tokenizer says it: ids inside the made-up texts stand for no special tokens. */
export const TOY_TOKENS = { bosId: TOY.bosId, specialIds: new Set<number>() }

const draw = (count: number, seed: number) => {
  const random = Random.fromSeed(seed)
  return Float32Array.from({ length: count }, () => random.normal())
}

export function toyTable(): Float32Array {
  const table = draw(TOY.vocabulary * TOY.dIn, 21)
  return table.map((value, at) => (Math.floor(at / TOY.dIn) === SINK_ID ? value * 100 : value))
}

/** Residual vector at a position of a window that starts with BOS, in float64. */
export function toyResid(table: Float32Array, ids: ArrayLike<number>, at: number): number[] {
  const row = (id: number) => Array.from(table.subarray(id * TOY.dIn, (id + 1) * TOY.dIn))
  const own = row(ids[at] ?? 0)
  if (at === 0) return own
  return own.map((value, j) => value + 0.01 * (row(ids[at - 1] ?? 0)[j] ?? 0))
}

export function toyModel(): LanguageModel {
  const table = tf.tensor2d(toyTable(), [TOY.vocabulary, TOY.dIn])
  const config = {
    ...{ family: 'toy', layers: 1, dModel: TOY.dIn, heads: 1, kvHeads: 1, headDim: TOY.dIn },
    ...{ vocabulary: TOY.vocabulary, contextSize: TOY.contextSize, bosId: TOY.bosId },
    ...{ dtype: 'float32', parameters: TOY.vocabulary * TOY.dIn, weightBytes: 0 },
  }
  return new LanguageModel(config, {
    embed: (ids) => tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [ids.shape[0], ids.shape[1], TOY.dIn]),
    block: (x) => {
      const [batch, time, width] = x.shape
      const before = tf.concat([tf.zeros([batch, 1, width]), tf.slice(x, [0, 0, 0], [batch, time - 1, width])], 1)
      return tf.add(x, tf.mul(before, 0.01))
    },
    unembed: (x) => x,
    project: (directions) => tf.matMul(directions, table, false, true),
    dispose: () => table.dispose(),
  })
}

/** Folded weights with features of all densities; feature 2 never fires. */
export function toyWeights(): SaeWeights {
  const bEnc = draw(TOY.dSae, 33).map((value) => value - 0.5)
  bEnc[2] = -1e4
  return {
    wEnc: { shape: [TOY.dIn, TOY.dSae], data: draw(TOY.dIn * TOY.dSae, 31) },
    bEnc: { shape: [TOY.dSae], data: bEnc },
    wDec: { shape: [TOY.dSae, TOY.dIn], data: draw(TOY.dSae * TOY.dIn, 32) },
    bDec: { shape: [TOY.dIn], data: draw(TOY.dIn, 34) },
  }
}

/** Activations of all features on a residual vector, in float64. */
export function toyActs(resid: readonly number[]): number[] {
  const { wEnc, bEnc } = toyWeights()
  return Array.from({ length: TOY.dSae }, (_, i) => {
    let pre = bEnc?.data[i] ?? 0
    resid.forEach((value, j) => (pre += value * (wEnc?.data[j * TOY.dSae + i] ?? 0)))
    return Math.max(0, pre)
  })
}

/** Text is ids as decimal numbers. */
export const toyTokenizer = { encode: (text: string) => text.split(' ').filter(Boolean).map(Number) }
