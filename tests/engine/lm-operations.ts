/** What must hold of every model, whatever its numbers: batches continue as single texts do, and gradients at hooks agree with each other. */
import { expect } from 'vitest'
import { continueAll, generate, gradientAtHook } from '../../src/main/engine/lm'
import type { LanguageModel } from '../../src/main/engine/lm'
import { blockHook } from '../../src/shared/hooks'
import { tf } from '../../src/main/engine/tf'
import { relativeError } from './goldens'

/** Ids that each prompt is continued by. */
export async function idsOfEach(events: ReturnType<typeof continueAll>, prompts: number): Promise<number[][]> {
  const made = Array.from({ length: prompts }, (): number[] => [])
  for await (const event of events) if (event.type === 'token') made[event.prompt]?.push(event.id)
  return made
}

/** Prompts of unequal length, padded at their start, give the tokens they give alone, steered or not. */
export async function expectSameTogether(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { hook, kvCache }: { hook: string; kvCache: boolean },
): Promise<void> {
  const steer = tf.ones([model.config.dModel])
  for (const intervene of [{}, { [hook]: (x: tf.Tensor) => tf.add(x, steer) }]) {
    const together = await idsOfEach(continueAll(model, prompts, { maxTokens: 6, kvCache, intervene }), prompts.length)
    for (const [i, prompt] of prompts.entries()) {
      expect(together[i], `prompt ${i}`).toEqual(await generate(model, prompt, 6, { kvCache, intervene }))
    }
  }
  steer.dispose()
}

/** Logits of a text are the same when another stands beside it and padding before it; errors relative to the largest logit. */
export async function paddingError(model: LanguageModel, text: readonly number[], longer: readonly number[]) {
  const padded = longer.length - text.length
  const { vocabulary } = model.config
  const [alone, beside] = tf.tidy(() => {
    const own = model.forward(tf.tensor2d([[...text]], [1, text.length], 'int32')).logits!
    const rows = [[...Array<number>(padded).fill(1), ...text], [...longer]]
    const both = model.forward(tf.tensor2d(rows, [2, longer.length], 'int32'), { padding: [padded, 0] }).logits!
    return [own, tf.slice(both, [0, padded, 0], [1, text.length, vocabulary])]
  })
  const error = relativeError(await beside.data(), await alone.data())
  tf.dispose([alone, beside])
  return error
}

type Scalar = (logits: tf.Tensor3D, row: number) => tf.Scalar

/** A number that depends on every logit up to `t`, weights fixed. */
const mixedLogits =
  (t: number): Scalar =>
  (logits) =>
    tf.tidy(() => {
      const vocabulary = logits.shape[2]
      const weights = tf.tensor1d(Float32Array.from({ length: vocabulary }, (_, i) => Math.sin(i * 1.7 + t)))
      return tf.sum(tf.mul(tf.slice(logits, [0, t, 0], [1, 1, vocabulary]), weights))
    })

/** What the residual stream passes on unchanged has one gradient at all its hooks. */
export async function expectEqualGradients(model: LanguageModel, ids: tf.Tensor2D, layer: number): Promise<void> {
  const scalar = mixedLogits(ids.shape[1] - 1)
  const gradient = async (hookName: string) => {
    const value = gradientAtHook(model, ids, hookName, scalar)
    const data = await value.data<'float32'>()
    value.dispose()
    return data
  }
  const hooks = model.hookNames()
  const after = await gradient(blockHook(layer, 'hook_resid_post'))
  expect(relativeError(await gradient(blockHook(layer, 'hook_mlp_out')), after)).toBeLessThan(1e-6)
  const middle = blockHook(layer, 'hook_resid_mid')
  const expected = hooks.includes(middle) ? await gradient(middle) : after
  expect(relativeError(await gradient(blockHook(layer, 'hook_attn_out')), expected)).toBeLessThan(1e-6)
  const before = await gradient(blockHook(0, 'hook_resid_pre'))
  expect(relativeError(await gradient('hook_embed'), before)).toBeLessThan(1e-6)
}

/** Steps of the differences, as shares of the value's norm. */
const STEP = 0.004

/**
 * The gradient at a hook predicts what a small step along it does: central differences of a step and of half of it, extrapolated.
 * @returns relative error of the prediction
 */
export async function slopeError(model: LanguageModel, ids: tf.Tensor2D, hookName: string): Promise<number> {
  const scalar = mixedLogits(ids.shape[1] - 1)
  const found = tf.tidy(() => {
    const gradient = gradientAtHook(model, ids, hookName, scalar)
    const value = model.forward(ids, { capture: [hookName], stopAfter: hookName }).captured[hookName]!
    expect(gradient.shape).toEqual(value.shape)
    const length = tf.norm(gradient)
    const direction = tf.div(gradient, length)
    const difference = (share: number) => {
      const step = tf.mul(tf.norm(value), share)
      const at = (sign: number) => {
        const moved = (x: tf.Tensor) => tf.add(x, tf.mul(direction, tf.mul(step, sign)))
        return scalar(model.forward(ids, { intervene: { [hookName]: moved } }).logits!, 0)
      }
      return tf.div(tf.sub(at(1), at(-1)), tf.mul(2, step))
    }
    return tf.stack([length, difference(STEP), difference(STEP / 2)])
  })
  const [expected = 0, whole = 0, half = 0] = await found.data()
  found.dispose()
  expect(expected).toBeGreaterThan(0)
  return Math.abs((4 * half - whole) / 3 - expected) / expected
}
