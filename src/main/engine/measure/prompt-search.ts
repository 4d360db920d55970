/** Search by prompt combinations: features that fire at the end of every positive prompt and of no negative one. */
import { AppError } from '../../../shared/errors'
import type { LanguageModel } from '../lm/model'
import { promptIds } from '../lm/prompt'
import type { Sae } from '../sae/loaded'
import { tf } from '../tf'

export type PromptSearchInput = {
  prompts: readonly { text: string; positive: boolean }[]
  /** Largest activation of each feature over the atlas corpus [dSae]; 0 for a silent feature. */
  maxActivations: Float32Array
  /** 1 for features that may be returned [dSae]. */
  allowed: Uint8Array
  limit: number
}

export type PromptSearchAnswer = {
  promptIds: Int32Array[]
  matching: number
  /** Best score first; of equal scores the lower index. */
  featureIndexes: Int32Array
  /** [hits, prompts] */
  values: Float32Array
  scores: Float32Array
}

export type PromptReader = {
  model: LanguageModel
  hookName: string
  bosId: number | null
  encode(text: string): number[]
}

/**
 * Ids of a prompt as the model reads it, BOS first when it has one.
 * @throws AppError prompt-empty, prompt-too-long
 */
export function readPrompt(reader: PromptReader, text: string): number[] {
  const { encode, bosId, model } = reader
  return promptIds({ encode, bosId, contextSize: model.config.contextSize }, text)
}

/** Activations of all features at the last token of a prompt [dSae]. */
export function lastTokenActs(reader: PromptReader, sae: Sae, ids: readonly number[]): Float32Array {
  const { model, hookName } = reader
  const featureActs = tf.tidy(() => {
    const { captured } = model.forward(tf.tensor2d([...ids], [1, ids.length], 'int32'), {
      capture: [hookName],
      stopAfter: hookName,
    })
    const resid = captured[hookName]
    if (!resid) throw new Error(`the model gave nothing at ${hookName}`)
    return sae.encode(tf.reshape(tf.slice(resid, [0, ids.length - 1, 0], [1, 1, sae.dIn]), [1, sae.dIn]))
  })
  const acts = Float32Array.from(featureActs.dataSync<'float32'>())
  featureActs.dispose()
  return acts
}

/**
 * Score of a feature: its smallest a / A over the positive prompts minus its largest a / A over the negative ones, A its largest
 * activation over the corpus (over these prompts, when it never fired there).
 * Null when it is silent on a positive prompt or fires on a negative one.
 */
function scoreOf(values: readonly number[], positives: readonly boolean[], corpusMax: number): number | null {
  const largest = corpusMax > 0 ? corpusMax : Math.max(...values)
  let lowest = Infinity
  let highest = 0
  for (let p = 0; p < values.length; p++) {
    const value = values[p] ?? 0
    if (positives[p]) {
      if (!(value > 0)) return null
      lowest = Math.min(lowest, value / largest)
    } else {
      if (value > 0) return null
      highest = Math.max(highest, value / largest)
    }
  }
  return Number.isFinite(lowest) ? lowest - highest : null
}

/**
 * @param goOn asked between prompts; false gives up
 * @throws AppError prompt-empty, prompt-too-long, hook-unknown, cancelled
 */
export async function searchPrompts(
  reader: PromptReader,
  sae: Sae,
  input: PromptSearchInput,
  goOn: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<PromptSearchAnswer> {
  const read = input.prompts.map(({ text }) => readPrompt(reader, text))
  const acts: Float32Array[] = []
  for (const ids of read) {
    if (!(await goOn())) throw new AppError('cancelled')
    acts.push(lastTokenActs(reader, sae, ids))
  }
  const positives = input.prompts.map(({ positive }) => positive)
  const hits: { feature: number; score: number; values: number[] }[] = []
  for (let feature = 0; feature < sae.dSae; feature++) {
    if (input.allowed[feature] !== 1) continue
    const values = acts.map((prompt) => prompt[feature] ?? 0)
    const score = scoreOf(values, positives, input.maxActivations[feature] ?? 0)
    if (score !== null) hits.push({ feature, score, values })
  }
  hits.sort((a, b) => b.score - a.score || a.feature - b.feature)
  const kept = hits.slice(0, input.limit)
  return {
    promptIds: read.map((ids) => Int32Array.from(ids)),
    matching: hits.length,
    featureIndexes: Int32Array.from(kept, ({ feature }) => feature),
    values: Float32Array.from(kept.flatMap(({ values }) => values)),
    scores: Float32Array.from(kept, ({ score }) => score),
  }
}
