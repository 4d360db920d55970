/** What a forward pass does at its hook points: captures values, replaces them, ends. */
import { AppError } from '../../../shared/errors'
import { blockHook, listHooks, parseHook } from '../../../shared/hooks'
import type { BlockHook, HookPoint } from '../../../shared/hooks'
import { tf } from '../tf'

export { blockHook, listHooks, parseHook }
export type { BlockHook, HookPoint }

/**
 * @param absent hooks that the blocks of the model do not have
 * @throws AppError hook-unknown when the name is none, or its layer is beyond the model; hook-absent when its blocks lack it
 */
export function requireHook(hookName: string, layers: number, absent: readonly string[] = []): HookPoint {
  const point = parseHook(hookName)
  if (!point || point.layer >= layers) throw new AppError('hook-unknown', { hookName, lastLayer: layers - 1 })
  if (absent.some((site) => site === point.site)) throw new AppError('hook-absent', { hookName })
  return point
}

export type Intervention = (x: tf.Tensor) => tf.Tensor

export type HookOptions = {
  /** Hooks whose values are wanted. */
  capture?: string[]
  /** Replaces the value at a hook; must keep its shape. Runs before the capture, so a capture sees the new value. */
  intervene?: Record<string, Intervention>
  /** Ends the pass when this hook was reached; there are no logits then. */
  stopAfter?: string
}

/** One forward pass as its hooks see it. */
export class HookPass {
  readonly captured: Record<string, tf.Tensor> = {}
  readonly #capture: Set<string>
  readonly #intervene: Record<string, Intervention>
  readonly #stopAfter: string | undefined
  #stopped = false

  constructor(options: HookOptions) {
    this.#capture = new Set(options.capture)
    this.#intervene = options.intervene ?? {}
    this.#stopAfter = options.stopAfter
  }

  hasStopped(): boolean {
    return this.#stopped
  }

  /** Whether anything happens at a hook, so that a value nobody asks for need not be formed. */
  wants(hookName: string): boolean {
    return this.#capture.has(hookName) || this.#intervene[hookName] !== undefined || this.#stopAfter === hookName
  }

  /** As tf.tidy, but what was captured inside survives, too: a block's intermediate values go before the next block begins. */
  tidy<T extends tf.Tensor>(body: () => T): T {
    return tf.tidy(() => ({ value: body(), captured: { ...this.captured } })).value
  }

  /** Passes a value through a hook. After the last one `hasStopped()` holds and the caller returns at once. */
  visit<T extends tf.Tensor>(hookName: string, x: T): T {
    const intervention = this.#intervene[hookName]
    const value = intervention ? intervention(x) : x
    if (intervention && value.shape.join() !== x.shape.join()) {
      throw new Error(`an intervention at ${hookName} changed [${x.shape.join()}] to [${value.shape.join()}]`)
    }
    if (this.#capture.has(hookName)) this.captured[hookName] = value
    if (this.#stopAfter === hookName) this.#stopped = true
    // The shape was just checked, so the value has the rank of x.
    return value as T
  }
}
