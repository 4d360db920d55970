/**
 * A fixed number of features per batch, so that tokens may differ: the k B largest of B rows (Bussmann et al. 2024). After training a
 * threshold stands for the batch, which makes it a jumprelu. Loss and gradients are in topk-family.ts.
 */
import { tf } from '../tf'
import { foldWeights } from './fold'
import { largestOfAll } from './largest'
import { constant } from './operations'
import { familyOf, hiddenPre } from './topk-family'
import type { Choice } from './topk-family'
import type { Architecture } from './architecture'

/** The k B largest of the whole batch. */
export const chooseBatch: Choice = (pre, { batch, k }) => largestOfAll(pre, k * batch)

/** What is the same for nested dictionaries, which differ in their loss alone. */
export const thresholded: Omit<Architecture, 'name'> = {
  ...familyOf(chooseBatch),
  encode: (parameters, saeIn, { threshold }) =>
    tf.tidy(() => {
      const acts = tf.relu(hiddenPre(parameters, saeIn))
      return tf.mul(acts, tf.step(tf.sub(acts, threshold)))
    }),
  finish: (weights, { scale, threshold }) => {
    const dSae = weights.wDec?.shape[0] ?? 0
    return {
      architecture: 'jumprelu',
      weights: foldWeights(
        { ...weights, threshold: constant(dSae, Math.max(threshold, 0)) },
        { scale, withNorms: ['bEnc', 'threshold'] },
      ),
      shiftsInput: true,
      k: null,
    }
  },
}

export const batchtopk: Architecture = { name: 'batchtopk', ...thresholded }
