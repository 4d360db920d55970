/**
 * What a reconstruction does to the model: cross-entropy and KL divergence of next tokens with xhat, zeros or a mean in the place of x
 * at a hook. Formulas in docs/metrics.md.
 */
import type { SaeQuality } from '../../../shared/training'
import { blockHook } from '../../../shared/hooks'
import type { LanguageModel } from '../lm'
import { logProbabilities } from '../lm/measures'
import { tf } from '../tf'

/** Logits computed at once, in numbers: a long text over a large vocabulary comes in parts of so many, about six at a time. */
const BLOCK_LOGITS = 4 * 1024 * 1024

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
  /** Logits computed at once; about four million unless given. */
  blockLogits?: number
}

/** Residual stream after the last block, as the model is and with other values at the hook, each [1, time, dModel]. */
type Residuals = { clean: tf.Tensor3D; spliced: tf.Tensor3D; zero: tf.Tensor3D; mean: tf.Tensor3D }

const WAYS = ['clean', 'spliced', 'zero', 'mean'] as const
type Way = (typeof WAYS)[number]

const sumOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0)

export class Splice {
  private predictions = 0
  private readonly losses: Record<Way, number> = { clean: 0, spliced: 0, zero: 0, mean: 0 }
  private readonly divergences: Record<Way, number> = { clean: 0, spliced: 0, zero: 0, mean: 0 }

  constructor(private readonly options: Spliced) {}

  /**
   * Takes in one text.
   * @param ids of the window, BOS included
   * @param replaced [time] 1 where x is replaced; BOS and sinks keep it
   */
  add(ids: Int32Array, replaced: Uint8Array): void {
    const predictions = ids.length - 1
    if (predictions < 1) return
    const { model, blockLogits = BLOCK_LOGITS } = this.options
    const block = Math.max(1, Math.floor(blockLogits / model.config.vocabulary))
    const residuals = tf.tidy(() => this.residuals(ids, replaced))
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

  private residuals(ids: Int32Array, replaced: Uint8Array): Residuals {
    const { model, hookName, reconstruct, mean } = this.options
    const time = ids.length
    const last = blockHook(model.config.layers - 1, 'hook_resid_post')
    const input = tf.tensor2d(ids, [1, time], 'int32')
    const clean = model.forward(input, { capture: [hookName, last], stopAfter: last }).captured
    const x = found(clean, hookName)
    const flat: tf.Tensor2D = tf.reshape(x, [time, mean.length])
    const mask = tf.tensor2d(Float32Array.from(replaced), [time, 1])
    const kept = tf.mul(flat, tf.sub(1, mask))
    const after = (value: tf.Tensor) => {
      const mixed = tf.reshape(tf.add(tf.mul(value, mask), kept), x.shape)
      const options = { capture: [last], stopAfter: last, intervene: { [hookName]: () => mixed } }
      return stream(found(model.forward(input, options).captured, last))
    }
    const zeros = tf.zeros([time, mean.length])
    return {
      clean: stream(found(clean, last)),
      spliced: after(reconstruct(flat)),
      zero: after(zeros),
      mean: after(tf.add(zeros, tf.tensor1d(mean))),
    }
  }

  /** Losses and divergences of the predictions from position `start` on; `targets` are the tokens that follow. */
  private judge(residuals: Residuals, targets: Int32Array, start: number): void {
    const { model } = this.options
    const { layers, vocabulary, dModel } = model.config
    const rows = targets.length
    const values = tf.tidy(() => {
      const following = tf.cast(tf.oneHot(tf.tensor2d(targets, [1, rows], 'int32'), vocabulary), 'float32')
      const logsOf = (resid: tf.Tensor3D) =>
        logProbabilities(model.fromResid(tf.slice(resid, [0, start, 0], [1, rows, dModel]), layers - 1))
      const clean = logsOf(residuals.clean)
      const probabilities = tf.exp(clean)
      // One way after the other, so that only one more set of logits is held.
      return WAYS.map((way) =>
        tf.tidy(() => {
          const logs = way === 'clean' ? clean : logsOf(residuals[way])
          const divergence = tf.sum(tf.mul(probabilities, tf.sub(clean, logs)), -1)
          return { loss: tf.neg(tf.sum(tf.mul(logs, following), -1)), divergence }
        }),
      )
    })
    WAYS.forEach((way, at) => {
      const { loss, divergence } = values[at] ?? {}
      this.losses[way] += sumOf(loss?.dataSync() ?? [Number.NaN])
      this.divergences[way] += sumOf(divergence?.dataSync() ?? [Number.NaN])
    })
    tf.dispose(values)
  }
}

/** @throws Error when the pass did not get there */
function found(captured: Record<string, tf.Tensor>, hookName: string): tf.Tensor {
  const value = captured[hookName]
  if (!value) throw new Error(`the pass did not reach ${hookName}`)
  return value
}

/** The residual stream has three axes, whatever the type of a hook's value says. */
const stream = (x: tf.Tensor) => x as tf.Tensor3D
