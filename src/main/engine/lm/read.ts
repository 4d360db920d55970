/** What a model thinks of a text: the loss and rank of every token, and what it expects after each. */
import { AppError } from '../../../shared/errors'
import { BLOCK_LOGITS } from '../../../shared/model-memory'
import { tf } from '../tf'
import type { LanguageModel } from './model'
import { largestIds, logSumExp } from './sampling'

/** Logits that are copied to JavaScript at once, in numbers (4 MB): what was copied lies about until the garbage collector comes. */
const COPIED_LOGITS = 1024 * 1024

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
  try {
    for (let start = 0; start < time; start += block) {
      await readBlock(model, resid, { start, rows: Math.min(block, time - start), ids, count, result })
    }
  } finally {
    resid.dispose()
  }
  return result
}

type BlockPlace = Omit<RowPlace, 'at'> & { start: number; rows: number }

/** Reads some positions from the residual stream after the last block [1, time, dModel]. */
async function readBlock(model: LanguageModel, resid: tf.Tensor3D, { start, rows, ...place }: BlockPlace) {
  const { dModel, vocabulary } = model.config
  const logits = tf.tidy((): tf.Tensor2D =>
    tf.reshape(model.unembed(tf.slice(resid, [0, start, 0], [1, rows, dModel])), [rows, vocabulary]),
  )
  const copied = Math.max(1, Math.floor(COPIED_LOGITS / vocabulary))
  for (let first = 0; first < rows; first += copied) {
    const some = tf.slice(logits, [first, 0], [Math.min(copied, rows - first), vocabulary])
    const data = await some.data<'float32'>()
    for (let row = 0; row * vocabulary < data.length; row++)
      readRow(data.subarray(row * vocabulary, (row + 1) * vocabulary), { ...place, at: start + first + row })
    some.dispose()
  }
  logits.dispose()
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
