/** Cross-entropy of predictions, and gradients of them with respect to the value at any hook. */
import { tf } from '../tf'
import { cutAt, valuesAtCut } from './cut'
import type { LanguageModel } from './model'

/** log of softmax over the last axis, from maximum, exp, sum and log: operations that every backend can differentiate. */
export function logProbabilities(logits: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const shifted = tf.sub(logits, tf.max(logits, -1, true))
    return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)))
  })
}

/**
 * -log p(ids[t + 1] | ids[..t]) in nats at every position but the last.
 * @param logits [batch, time, vocabulary]
 * @param ids int32 [batch, time]
 * @returns [batch, time - 1]
 */
export function crossEntropy(logits: tf.Tensor3D, ids: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const [batch, time, vocabulary] = logits.shape
    const predicting = tf.slice(logits, [0, 0, 0], [batch, time - 1, vocabulary])
    const targets = tf.oneHot(tf.slice(ids, [0, 1], [batch, time - 1]), vocabulary)
    const chosen = tf.mul(logProbabilities(predicting), tf.cast(targets, 'float32'))
    return tf.neg(tf.sum<tf.Tensor2D>(chosen, -1))
  })
}

/**
 * d scalar(logits) / d value at any hook, through everything after it. Texts are taken one by one, so that no more than the graph of
 * one is ever held.
 * @param ids int32 [batch, time]
 * @param scalarOfLogits from the logits [1, time, vocabulary] of one text, and its place in the batch, to one number
 * @returns the shape of the hook's value, [batch, time, dModel] for the residual stream; owned by the caller
 * @throws AppError hook-unknown, hook-absent
 */
export function gradientAtHook(
  model: LanguageModel,
  ids: tf.Tensor2D,
  hookName: string,
  scalarOfLogits: (logits: tf.Tensor3D, row: number) => tf.Scalar,
): tf.Tensor {
  const [batch, time] = ids.shape
  const cut = cutAt(model, hookName)
  const gradientOf = (row: number) =>
    tf.tidy(() => {
      // What comes before the hook's block is computed once and no gradient goes through it.
      const values = valuesAtCut(model, tf.slice(ids, [row, 0], [1, time]), cut)
      const [before, value] = [values.slice(0, -1), values.at(-1)]
      if (!value) throw new Error(`the pass did not reach ${hookName}`)
      return tf.grad((x) => scalarOfLogits(model.unembed(cut.rest(before, x)), row))(value)
    })
  return tf.tidy(() =>
    tf.concat(
      Array.from({ length: batch }, (_, row) => gradientOf(row)),
      0,
    ),
  )
}
