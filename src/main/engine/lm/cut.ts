/** A model cut in two at a hook: what comes before is computed once, and the rest goes on from there with any value. */
import { tf } from '../tf'
import { blockHook } from './hooks'
import type { LanguageModel } from './model'

export type HookCut = {
  /** Hooks whose values `rest` needs: the cut itself as the last, before it the input of its block where that is another place. */
  needed: readonly string[]
  /**
   * Residual stream after the last block, with `value` at the cut.
   * @param before values at `needed` but the last, each [batch, time, ...]
   * @param value [batch, time, ...], as many numbers as the hook has
   * @returns [batch, time, dModel], owned by the caller
   */
  rest(before: readonly tf.Tensor[], value: tf.Tensor): tf.Tensor3D
}

/** The residual stream has three axes, whatever the type of a hook's value says. */
const stream = (x: tf.Tensor | undefined) => {
  if (!x) throw new Error('the input of the block is missing')
  return x as tf.Tensor3D
}

/** @throws AppError hook-unknown, hook-absent */
export function cutAt(model: LanguageModel, hookName: string): HookCut {
  const { layer, site } = model.requireHook(hookName)
  const blockInput = layer < 0 ? hookName : blockHook(layer, 'hook_resid_pre')
  if (site === 'hook_resid_post') {
    return { needed: [hookName], rest: (_before, value) => model.residAfter(stream(value), layer) }
  }
  if (blockInput === hookName) {
    return { needed: [hookName], rest: (_before, value) => model.residAfter(stream(value), Math.max(layer, 0) - 1) }
  }
  return {
    needed: [blockInput, hookName],
    rest: ([before], value) =>
      model.residAfter(stream(before), layer - 1, { intervene: { [hookName]: (x) => tf.reshape(value, x.shape) } }),
  }
}

/**
 * Runs the model up to a cut.
 * @param ids int32 [batch, time]
 * @returns values at `cut.needed`, owned by the caller
 */
export function valuesAtCut(model: LanguageModel, ids: tf.Tensor2D, { needed }: HookCut): tf.Tensor[] {
  const stopAfter = needed.at(-1) ?? ''
  const { captured } = model.forward(ids, { capture: [...needed], stopAfter })
  return needed.map((hookName) => {
    const value = captured[hookName]
    if (!value) throw new Error(`the pass did not reach ${hookName}`)
    return value
  })
}
