/** Greedy decoding, one token after another. */
import { tf } from '../tf'
import { KeyValueCache } from './cache'
import type { Intervention } from './hooks'
import type { LanguageModel } from './model'

export type GenerateOptions = {
  /** Keeps keys and values of earlier positions; the same ids, in less time. Default true. */
  kvCache?: boolean
  /** Applied at every step to all positions the step computes. With a cache, positions already read keep what was done to them. */
  intervene?: Record<string, Intervention>
  /** Called with each new id; false stops. */
  onToken?: (id: number) => boolean
}

/** Id of the largest logit at the last position of a batch of one; the lowest id wins a tie. */
async function nextId(model: LanguageModel, ids: number[], options: GenerateOptions & { cache: KeyValueCache | null }) {
  const best = tf.tidy(() => {
    const { logits } = model.forward(tf.tensor2d([ids], [1, ids.length], 'int32'), {
      ...(options.intervene && { intervene: options.intervene }),
      ...(options.cache && { cache: options.cache }),
    })
    if (!logits) throw new Error('a pass without stop has logits')
    const [, time, vocabulary] = logits.shape
    return tf.argMax(tf.reshape(tf.slice(logits, [0, time - 1, 0], [1, 1, vocabulary]), [vocabulary]))
  })
  const [id = 0] = await best.data()
  best.dispose()
  return id
}

/**
 * Continues `ids` (BOS included by the caller) by `n` tokens of largest probability. Never stops at an end token by itself.
 * @returns the new ids only
 */
export async function generate(
  model: LanguageModel,
  ids: readonly number[],
  n: number,
  options: GenerateOptions = {},
): Promise<number[]> {
  const made: number[] = []
  const cache = options.kvCache === false ? null : new KeyValueCache()
  try {
    while (made.length < n) {
      const all = [...ids, ...made]
      const id = await nextId(model, cache ? all.slice(cache.length) : all, { ...options, cache })
      made.push(id)
      if (options.onToken?.(id) === false) break
    }
  } finally {
    cache?.dispose()
  }
  return made
}
