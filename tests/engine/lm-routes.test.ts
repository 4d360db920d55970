/** The two routes of attention on wasm give the same numbers, and gradients never take the one that leaves no tape. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gradientAtHook, loadModel } from '../../src/main/engine/lm'
import type { LanguageModel } from '../../src/main/engine/lm'
import { inverseFrequencies } from '../../src/main/engine/lm/rotary'
import { openBackend, tf } from '../../src/main/engine/tf'
import { relativeError, reportSkip, storiesFolder } from './goldens'

const stories = storiesFolder()
if (!stories) reportSkip('routes of attention', 'the folder of the model is absent')

describe.skipIf(!stories)('attention on wasm', () => {
  let model: LanguageModel
  const rows = Array.from({ length: 3 }, (_, row) =>
    Array.from({ length: 40 }, (_, i) => 3 + ((i * 37 + row * 11) % 500)),
  )
  beforeAll(async () => {
    await openBackend('wasm')
    model = await loadModel(stories ?? '')
  })
  afterAll(() => model.dispose())

  it('is the same head by head as in one batched product', async () => {
    const ids = tf.tensor2d(rows, [3, 40], 'int32')
    const headByHead = model.forward(ids).logits!
    // Capturing the patterns forces the batched product.
    const patterns = model.hookNames().filter((name) => name.endsWith('hook_pattern'))
    const batched = model.forward(ids, { capture: patterns }).logits!
    expect(relativeError(await headByHead.data(), await batched.data())).toBeLessThan(1e-6)
    expect(await model.forward(ids).logits!.data()).toEqual(await headByHead.data())
  })
  it('lets a gradient reach every earlier position and none later', async () => {
    const [row = []] = rows
    const ids = tf.tensor2d([row], [1, 40], 'int32')
    const at = (logits: tf.Tensor3D): tf.Scalar => tf.reshape(tf.slice(logits, [0, 20, 7], [1, 1, 1]), [])
    const gradient = await gradientAtHook(model, ids, 'blocks.1.hook_resid_post', at).data()
    for (let position = 0; position < 40; position++) {
      const there = gradient.subarray(position * 64, (position + 1) * 64)
      expect([position, there.some((value) => value !== 0)]).toEqual([position, position <= 20])
    }
  })
})

it('scales rotary frequencies as their type says', () => {
  const plain = inverseFrequencies(8, 10000, { type: 'none' })
  expect(Array.from(plain)).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround))
  const linear = inverseFrequencies(8, 10000, { type: 'linear', factor: 4 })
  expect(Array.from(linear)).toEqual(Array.from(plain, (frequency) => frequency / 4))
})
