/** Cross-entropy of predictions and gradients of them with respect to the residual stream. */
import { AppError } from '../../../shared/errors'
import { tf } from '../tf'
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
 * d scalar(logits) / d residual at a hook, through the blocks after it.
 * @param hookName a `hook_resid_post`, or a `hook_resid_pre`, whose value is the same tensor
 * @param scalarOfLogits from logits [batch, time, vocabulary] to one number
 * @returns [batch, time, dModel], owned by the caller
 * @throws AppError hook-unknown for any other hook
 */
export function gradientAtHook(
  model: LanguageModel,
  ids: tf.Tensor2D,
  hookName: string,
  scalarOfLogits: (logits: tf.Tensor3D) => tf.Scalar,
): tf.Tensor3D {
  const { layer, site } = model.requireHook(hookName)
  if (site !== 'hook_resid_post' && site !== 'hook_resid_pre') {
    throw new AppError('hook-unknown', { hookName, lastLayer: model.config.layers - 1 })
  }
  const after = site === 'hook_resid_post' ? layer : layer - 1
  return tf.tidy(() => {
    const resid = model.forward(ids, { capture: [hookName], stopAfter: hookName }).captured[hookName]
    if (!resid) throw new Error(`the pass did not reach ${hookName}`)
    const gradient = tf.grad((x) => scalarOfLogits(model.fromResid(x as tf.Tensor3D, after)))
    return gradient(resid) as tf.Tensor3D
  })
}
