/** A fixed number of features per token: the k largest of each row (Gao et al. 2024). Loss and gradients are in topk-family.ts. */
import { tf } from '../tf'
import { foldWeights } from './fold'
import { largestPerRow } from './largest'
import { familyOf, hiddenPre } from './topk-family'
import type { Choice } from './topk-family'
import type { Architecture } from './architecture'

/** The k largest of each row. */
export const chooseRows: Choice = (pre, { dSae, k }) => largestPerRow(pre, { width: dSae, k })

/** relu(pre) on the k largest of each row of pre [batch, dSae]; the result is the caller's. */
export function keepRows(pre: tf.Tensor, k: number): tf.Tensor {
  const [batch = 0, dSae = 0] = pre.shape
  return tf.tensor2d(largestPerRow(pre.dataSync<'float32'>(), { width: dSae, k }), [batch, dSae])
}

export const topk: Architecture = {
  name: 'topk',
  ...familyOf(chooseRows),
  encode: (parameters, saeIn, { k }) => tf.tidy(() => keepRows(hiddenPre(parameters, saeIn), k)),
  // Decoder rows have norm 1, so all features grow by the same 1 / s, and which are the largest stays as it was to the last bit.
  finish: (weights, { scale, k }) => ({
    architecture: 'topk',
    weights: foldWeights(weights, {
      scale,
      withNorms: ['bEnc'],
      norms: new Float64Array(weights.wDec?.shape[0] ?? 0).fill(1),
    }),
    shiftsInput: true,
    k,
  }),
}
