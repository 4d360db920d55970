/** What a model thinks of a text: the loss and rank of every token, and what it expects after each. */
import { AppError } from '../../../shared/errors'
import { tf } from '../tf'
import type { LanguageModel } from './model'
import { largestIds, logSumExp } from './sampling'

/** Logits that are read back at once, in numbers: a long text over a large vocabulary comes in parts. */
const BLOCK_LOGITS = 32 * 1024 * 1024

export type ReadResult = {
  /** -ln p(token | those before), nats, and how many tokens were more probable; both -1 for the first [time]. */
  losses: Float32Array
  ranks: Int32Array
  /** Most probable next tokens and their probabilities [time, top], row-major. */
  nextIds: Int32Array
  nextProbabilities: Float32Array
}

/**
 * Reads one text.
 * @param ids with BOS where one is wanted, at least one
 * @param top how many next tokens are told for each position
 * @throws AppError prompt-empty, prompt-too-long
 */
export async function readTokens(model: LanguageModel, ids: readonly number[], top: number): Promise<ReadResult> {
  const { contextSize, vocabulary } = model.config
  if (ids.length === 0) throw new AppError('prompt-empty')
  if (ids.length > contextSize) throw new AppError('prompt-too-long', { tokens: ids.length, limit: contextSize })
  const time = ids.length
  const count = Math.min(top, vocabulary)
  const result: ReadResult = {
    losses: new Float32Array(time).fill(-1),
    ranks: new Int32Array(time).fill(-1),
    nextIds: new Int32Array(time * count),
    nextProbabilities: new Float32Array(time * count),
  }
  const resid = finalResidual(model, ids)
  const block = Math.max(1, Math.floor(BLOCK_LOGITS / vocabulary))
  for (let start = 0; start < time; start += block) {
    const rows = Math.min(block, time - start)
    const logits = tf.tidy(() =>
      model.fromResid(tf.slice(resid, [0, start, 0], [1, rows, model.config.dModel]), model.config.layers - 1),
    )
    const data = await logits.data<'float32'>()
    logits.dispose()
    for (let row = 0; row < rows; row++) {
      readRow(data.subarray(row * vocabulary, (row + 1) * vocabulary), { at: start + row, ids, count, result })
    }
  }
  resid.dispose()
  return result
}

/** Residual stream after the last block [1, time, dModel], owned by the caller. */
function finalResidual(model: LanguageModel, ids: readonly number[]): tf.Tensor3D {
  return tf.tidy(() => {
    const last = `blocks.${model.config.layers - 1}.hook_resid_post`
    const input = tf.tensor2d([[...ids]], [1, ids.length], 'int32')
    const resid = model.forward(input, { capture: [last], stopAfter: last }).captured[last]
    if (!resid) throw new Error(`the pass did not reach ${last}`)
    // The hook of the residual stream has the shape [batch, time, dModel].
    return resid as tf.Tensor3D
  })
}

type RowPlace = { at: number; ids: readonly number[]; count: number; result: ReadResult }

function readRow(logits: Float32Array, { at, ids, count, result }: RowPlace): void {
  const total = logSumExp(logits)
  largestIds(logits, count).forEach((id, k) => {
    result.nextIds[at * count + k] = id
    result.nextProbabilities[at * count + k] = Math.exp((logits[id] ?? 0) - total)
  })
  const following = ids[at + 1]
  if (following === undefined) return
  const own = logits[following] ?? Number.NEGATIVE_INFINITY
  result.losses[at + 1] = total - own
  let better = 0
  for (const logit of logits) if (logit > own) better += 1
  result.ranks[at + 1] = better
}
