/** Continues texts token by token: several at once, greedily or sampled, with interventions applied at every step. */
import { Random } from '../train/random'
import { tf } from '../tf'
import { KeyValueCache } from './cache'
import type { Intervention } from './hooks'
import type { LanguageModel } from './model'
import { pickToken } from './sampling'
import type { SamplingOptions } from './sampling'

export type ContinueOptions = Partial<SamplingOptions> & {
  /** New tokens per prompt, at most. */
  maxTokens: number
  /** Same seed, same tokens; every prompt draws from a stream of its own. */
  seed?: number
  /** A prompt's continuation ends when it writes one of these; that token is told, too. */
  stopIds?: readonly number[]
  /** Keeps keys and values of earlier positions; the same ids, in less time. Default true. */
  kvCache?: boolean
  /** Applied at every step to all positions the step computes. With a cache, positions already read keep what was done to them. */
  intervene?: Record<string, Intervention>
}

/** One new token, or the end of one prompt's continuation. */
export type ContinueEvent =
  | { type: 'token'; prompt: number; id: number; probability: number }
  | { type: 'end'; prompt: number; reason: 'length' | 'stop-token' | 'context' }

type Row = { prompt: number; ids: number[]; made: number; random: Random; isDone: boolean }

/** Texts side by side, the shorter ones padded at their start, so that the last column is the newest token of all. */
function padRows(rows: readonly Row[]): { ids: number[][]; padding: number[] } {
  const longest = Math.max(...rows.map(({ ids }) => ids.length))
  const padding = rows.map(({ ids }) => longest - ids.length)
  return { ids: rows.map(({ ids }, row) => [...Array<number>(padding[row] ?? 0).fill(0), ...ids]), padding }
}

/** Logits after the last token of every row [rows][vocabulary]. */
async function nextLogits(
  model: LanguageModel,
  rows: readonly Row[],
  { cache, intervene }: { cache: KeyValueCache | null; intervene: ContinueOptions['intervene'] },
): Promise<Float32Array[]> {
  const { ids, padding } = padRows(rows)
  // Beyond the border the first keys of a text are others, so the text that reaches it is read anew, as Hugging Face does.
  if (cache && cache.length > 0 && rows.some((row) => row.ids.length - 1 === model.config.cacheBorder)) cache.dispose()
  const fresh = ids.map((row) => row.slice(cache?.length ?? 0))
  const logits = tf.tidy(() => {
    const input = tf.tensor2d(fresh, [rows.length, fresh[0]?.length ?? 0], 'int32')
    const pass = model.forward(input, {
      lastOnly: true,
      ...(padding.some((padded) => padded > 0) && { padding }),
      ...(intervene && { intervene }),
      ...(cache && { cache }),
    })
    if (!pass.logits) throw new Error('a pass without stop has logits')
    return pass.logits
  })
  const data = await logits.data<'float32'>()
  logits.dispose()
  const { vocabulary } = model.config
  return rows.map((_, row) => data.subarray(row * vocabulary, (row + 1) * vocabulary))
}

const endOf = (row: Row, id: number, options: ContinueOptions, contextSize: number) => {
  if (options.stopIds?.includes(id)) return 'stop-token'
  if (row.made >= options.maxTokens) return 'length'
  return row.ids.length >= contextSize ? 'context' : null
}

/**
 * Continues every prompt, a token of each at a time. Rows that have ended are computed on until all have, so that the cache stays whole.
 * @param prompts ids with BOS where one is wanted, each with at least one and at most `contextSize` tokens
 */
export async function* continueAll(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: ContinueOptions,
): AsyncGenerator<ContinueEvent> {
  const { temperature = 0, topP = 1, seed = 0 } = options
  const { contextSize } = model.config
  const rows: Row[] = prompts.map((ids, prompt) => ({
    ...{ prompt, ids: [...ids], made: 0, isDone: false },
    random: Random.fromSeed(seed, prompt),
  }))
  for (const row of rows) {
    if (row.ids.length < contextSize) continue
    row.isDone = true
    yield { type: 'end', prompt: row.prompt, reason: 'context' }
  }
  const cache = options.kvCache === false ? null : new KeyValueCache()
  try {
    while (rows.some(({ isDone }) => !isDone)) {
      const logits = await nextLogits(model, rows, { cache, intervene: options.intervene })
      for (const [i, row] of rows.entries()) {
        const { id, probability } = pickToken(logits[i] ?? new Float32Array(0), { temperature, topP }, row.random)
        row.ids.push(id)
        if (row.isDone) continue
        row.made += 1
        yield { type: 'token', prompt: row.prompt, id, probability }
        const reason = endOf(row, id, options, contextSize)
        if (reason === null) continue
        row.isDone = true
        yield { type: 'end', prompt: row.prompt, reason }
      }
    }
  } finally {
    cache?.dispose()
  }
}

export type GenerateOptions = Pick<ContinueOptions, 'kvCache' | 'intervene'> & {
  /** Called with each new id; false stops. */
  onToken?: (id: number) => boolean
}

/**
 * Continues `ids` (BOS included by the caller) by `n` tokens of largest probability. Never stops at an end token by itself.
 * @returns the new ids only
 */
export async function generate(
  model: LanguageModel,
  ids: readonly number[],
  n: number,
  { onToken, ...options }: GenerateOptions = {},
): Promise<number[]> {
  const made: number[] = []
  for await (const event of continueAll(model, [ids], { ...options, maxTokens: n })) {
    if (event.type === 'end') break
    made.push(event.id)
    if (onToken?.(event.id) === false) break
  }
  return made
}
