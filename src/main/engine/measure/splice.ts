/**
 * What a reconstruction does to the model: cross-entropy and KL divergence of next tokens with xhat, zeros or a mean in the place of x
 * at a hook. Formulas in docs/metrics.md.
 */
import type { SaeQuality } from '../../../shared/training'
import { BLOCK_LOGITS } from '../../../shared/model-memory'
import { cutAt, valuesAtCut } from '../lm'
import type { HookCut, LanguageModel } from '../lm'
import { tf } from '../tf'

export type SpliceFigures = Pick<
  SaeQuality,
  'ceClean' | 'ceSpliced' | 'ceZero' | 'ceMean' | 'ceRecovered' | 'ceRecoveredMean' | 'kl' | 'klScore'
>

/** Below this many nats a baseline does no harm worth dividing by. */
const SMALLEST_HARM = 1e-6

/** The share of a baseline's harm that is undone; null when there is none. */
const recovered = (baseline: number, spliced: number, clean: number): number | null =>
  baseline - clean > SMALLEST_HARM ? (baseline - spliced) / (baseline - clean) : null

export type Spliced = {
  model: LanguageModel
  hookName: string
  /** x [tokens, dModel] to xhat; the result is the caller's. */
  reconstruct(saeIn: tf.Tensor): tf.Tensor
  /** [dModel] */
  mean: Float32Array
  /** Logits computed at once; about sixteen million unless given. */
  blockLogits?: number
}

/** One text. */
export type SplicedText = {
  /** Of the window, BOS included [time]. */
  ids: Int32Array
  /** 1 where x is replaced [time]; BOS and sinks keep it. */
  replaced: Uint8Array
  /** What a pass found at the hooks of {@link Splice.needed}, each [time, width]; read here unless given. */
  values?: readonly Float32Array[]
}

/** What stands at the hook: x itself, its reconstruction, zeros, the mean. Each goes through the same shapes, so that equal values give equal bits. */
const WAYS = ['clean', 'spliced', 'zero', 'mean'] as const
type Way = (typeof WAYS)[number]
/** Whether the divergence from the clean way is wanted. */
const DIVERGES = { clean: false, spliced: true, zero: true, mean: false } as const

export class Splice {
  private predictions = 0
  private readonly losses: Record<Way, number> = { clean: 0, spliced: 0, zero: 0, mean: 0 }
  private readonly divergences: Record<Way, number> = { clean: 0, spliced: 0, zero: 0, mean: 0 }
  private readonly cut: HookCut

  /** @throws AppError hook-unknown, hook-absent */
  constructor(private readonly options: Spliced) {
    this.cut = cutAt(options.model, options.hookName)
  }

  /** Takes in one text. */
  add({ ids, replaced, values }: SplicedText): void {
    const predictions = ids.length - 1
    if (predictions < 1) return
    const { model, blockLogits = BLOCK_LOGITS } = this.options
    const block = Math.max(1, Math.floor(blockLogits / model.config.vocabulary))
    const residuals = tf.tidy(() => this.residuals(ids, replaced, values))
    for (let start = 0; start < predictions; start += block) {
      const rows = Math.min(block, predictions - start)
      this.judge(residuals, ids.subarray(start + 1, start + 1 + rows), start)
    }
    tf.dispose(Object.values(residuals))
    this.predictions += predictions
  }

  figures(): SpliceFigures {
    const of = (sum: number) => sum / Math.max(1, this.predictions)
    const { clean, spliced, zero, mean } = this.losses
    const [ceClean, ceSpliced, ceZero, ceMean] = [of(clean), of(spliced), of(zero), of(mean)]
    const [kl, klZero] = [of(this.divergences.spliced), of(this.divergences.zero)]
    return {
      ...{ ceClean, ceSpliced, ceZero, ceMean, kl },
      ceRecovered: recovered(ceZero, ceSpliced, ceClean),
      ceRecoveredMean: recovered(ceMean, ceSpliced, ceClean),
      klScore: klZero > SMALLEST_HARM ? 1 - kl / klZero : null,
    }
  }

  /** Residual stream after the last block for every way [1, time, dModel]: one pass to the hook, then the rest of the model. */
  private residuals(ids: Int32Array, replaced: Uint8Array, given?: readonly Float32Array[]): Record<Way, tf.Tensor3D> {
    const { model, reconstruct, mean } = this.options
    const time = ids.length
    const found = given
      ? given.map((data) => tf.tensor3d(data, [1, time, data.length / time]))
      : valuesAtCut(model, tf.tensor2d(ids, [1, time], 'int32'), this.cut)
    const [before, atHook] = [found.slice(0, -1), found.at(-1)]
    if (!atHook) throw new Error('a cut has a value')
    const x: tf.Tensor2D = tf.reshape(atHook, [time, mean.length])
    const mask = tf.tensor2d(Float32Array.from(replaced), [time, 1])
    const kept = tf.mul(x, tf.sub(1, mask))
    const zeros = tf.zerosLike(x)
    const rest = (value: tf.Tensor) => this.cut.rest(before, tf.expandDims(value))
    const after = (value: tf.Tensor) => tf.tidy(() => rest(tf.add(tf.mul(tf.reshape(value, x.shape), mask), kept)))
    return {
      clean: rest(x),
      spliced: after(reconstruct(x)),
      zero: after(zeros),
      mean: after(tf.add(zeros, tf.tensor1d(mean))),
    }
  }

  /** Losses and divergences of the predictions from position `start` on; `targets` are the tokens that follow. */
  private judge(residuals: Record<Way, tf.Tensor3D>, targets: Int32Array, start: number): void {
    const { model } = this.options
    const rows = targets.length
    const shiftedOf = (way: Way) => shiftedLogits(model, residuals[way], { start, rows })
    const clean = shiftedOf('clean')
    let cleanTotals = new Float32Array()
    for (const way of WAYS) {
      const shifted = way === 'clean' ? clean : shiftedOf(way)
      const found = tf.tidy(() => sumsOf(shifted, targets, DIVERGES[way] ? clean : null))
      const [totals, chosen, difference] = found.map((tensor) => tensor.dataSync<'float32'>())
      tf.dispose(way === 'clean' ? found : [shifted, ...found])
      if (way === 'clean') cleanTotals = Float32Array.from(totals ?? [])
      for (let row = 0; row < rows; row++) {
        const [total, cleanTotal] = [totals?.[row] ?? Number.NaN, cleanTotals[row] ?? Number.NaN]
        this.losses[way] += Math.log(total) - (chosen?.[row] ?? Number.NaN)
        if (difference)
          this.divergences[way] += (difference[row] ?? Number.NaN) / cleanTotal - Math.log(cleanTotal) + Math.log(total)
      }
    }
    clean.dispose()
  }
}

/** Logits of some positions less the largest of each [rows, vocabulary], owned by the caller. */
function shiftedLogits(
  model: LanguageModel,
  residual: tf.Tensor3D,
  { start, rows }: { start: number; rows: number },
): tf.Tensor2D {
  const { dModel, vocabulary } = model.config
  return tf.tidy(() => {
    const logits = model.unembed(tf.slice(residual, [0, start, 0], [1, rows, dModel]))
    return tf.reshape(tf.sub(logits, tf.max(logits, -1, true)), [rows, vocabulary])
  })
}

/**
 * What losses and divergences are made of, for shifted logits l: sum exp(l), l of the token that follows, and where the clean ones are
 * given sum exp(l_clean) (l_clean - l), each [rows].
 */
function sumsOf(shifted: tf.Tensor2D, targets: Int32Array, clean: tf.Tensor2D | null): tf.Tensor[] {
  const places = tf.tensor2d(
    Array.from(targets, (id, row) => [row, id]),
    [targets.length, 2],
    'int32',
  )
  const sums = [tf.sum(tf.exp(shifted), -1), tf.gatherND(shifted, places)]
  return clean ? [...sums, tf.sum(tf.mul(tf.exp(clean), tf.sub(clean, shifted)), -1)] : sums
}
