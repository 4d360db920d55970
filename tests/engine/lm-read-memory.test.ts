/** Reading a text over a large vocabulary: how many logits are there at once, and how many are copied, counted in bytes. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LanguageModel, readTokens } from '../../src/main/engine/lm'
import { memoryReport, openBackend, tf } from '../../src/main/engine/tf'

const VOCABULARY = 2 ** 20
const TIME = 34
const MB = 1024 * 1024
const FLOAT_BYTES = 4

/** No blocks: the embedding has one number for a token, and a logit is less the later the token is in the vocabulary. */
function wideModel(onLogits: (bytes: number) => void): LanguageModel {
  const head = tf.tidy((): tf.Tensor2D => tf.reshape(tf.mul(tf.range(0, VOCABULARY), -1e-5), [1, VOCABULARY]))
  const config = {
    ...{ family: 'toy', layers: 1, dModel: 1, heads: 1, kvHeads: 1, headDim: 1 },
    ...{ vocabulary: VOCABULARY, contextSize: 64, bosId: null, dtype: 'float32', parameters: 1, weightBytes: 0 },
  }
  return new LanguageModel(config, {
    embed: (ids) => tf.reshape(tf.cast(ids, 'float32'), [...ids.shape, 1]),
    block: (x) => x,
    unembed: (x) => {
      const logits = tf.matMul(tf.reshape(x, [x.size, 1]), head)
      onLogits(memoryReport().bytes)
      return tf.reshape(logits, [x.shape[0], x.shape[1], VOCABULARY])
    },
    project: (directions) => tf.matMul(directions, head),
    dispose: () => head.dispose(),
  })
}

describe('reading over a vocabulary of a million', () => {
  beforeAll(() => openBackend('cpu'))
  afterEach(() => vi.restoreAllMocks())

  it('holds 64 MB of logits at a time and copies 4 MB of them, however long the text is', async () => {
    let most = 0
    const model = wideModel((bytes) => (most = Math.max(most, bytes)))
    const before = memoryReport()
    let copied = 0
    const data = vi.spyOn(tf.Tensor.prototype, 'data')
    const ids = Array.from({ length: TIME }, (_, at) => at % 3)
    const { losses, nextIds } = await readTokens(model, ids, 1)
    for (const read of data.mock.contexts) copied = Math.max(copied, FLOAT_BYTES * (read as tf.Tensor).size)
    // The residual stream and what the reshape of it shares are a few bytes.
    expect(most - before.bytes).toBeLessThan(64 * MB + 1024)
    expect(copied).toBeLessThanOrEqual(4 * MB)
    expect(memoryReport().tensors).toBe(before.tensors)
    // After token 0 all are as probable, and the first goes first; after the others it is the most probable.
    expect([...nextIds]).toEqual(ids.map(() => 0))
    expect(losses[1]).toBeCloseTo(Math.log(VOCABULARY), 5)
    model.dispose()
  })
})
