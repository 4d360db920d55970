/** Search by prompt combinations: features that fire at the end of every positive prompt and of no negative one. */
import { AppError } from '../../../shared/errors'
import { promptIds } from '../lm/prompt'
import type { Sae } from '../sae/loaded'
import { cutDocument } from '../train/contexts'
import { encodeText } from './text-codes'
import type { TextReader } from './text-codes'

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

/** Reads prompts as an atlas reads its text: the same windows, the same tokens without features. */
export type PromptReader = Omit<TextReader, 'sae'> & { encode(text: string): number[] | Promise<number[]> }

/**
 * Ids of a prompt as the model reads it, BOS first when it has one.
 * @throws AppError prompt-empty, prompt-too-long
 */
export function readPrompt(reader: PromptReader, text: string): Promise<number[]> {
  const { encode, bosId, model } = reader
  return promptIds({ encode, bosId, contextSize: model.config.contextSize }, text)
}

/** Activations of all features at the last token of a prompt [dSae]; all 0 where it is a special token or an attention sink. */
export async function lastTokenActs(reader: PromptReader, sae: Sae, ids: readonly number[]): Promise<Float32Array> {
  const acts = new Float32Array(sae.dSae)
  // Only the last of the windows that the prompt is cut into holds its last token.
  const { contextSize, bosId } = reader
  const start = [...cutDocument([...ids], { contextSize, bosId })].at(-1)?.start ?? 0
  const read = ids.slice(start)
  const last = read.length - 1
  const { codes } = await encodeText(read, { ...reader, sae }, () => Promise.resolve(true), last)
  for (let at = codes.starts[last] ?? 0; at < (codes.starts[last + 1] ?? 0); at++) {
    acts[codes.features[at] ?? 0] = codes.values[at] ?? 0
  }
  return acts
}

/**
 * Score of a feature: its smallest a / A over the positive prompts, A its largest activation over the corpus (over these prompts, when it
 * never fired there). Null when it is silent on a positive prompt or fires on a negative one.
 */
function scoreOf(values: readonly number[], positives: readonly boolean[], corpusMax: number): number | null {
  if (values.some((value, p) => value > 0 !== positives[p])) return null
  const wanted = values.filter((_, p) => positives[p])
  const largest = corpusMax > 0 ? corpusMax : Math.max(...values)
  return wanted.length > 0 ? Math.min(...wanted) / largest : null
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
  const read = await Promise.all(input.prompts.map(({ text }) => readPrompt(reader, text)))
  const acts: Float32Array[] = []
  for (const ids of read) {
    if (!(await goOn())) throw new AppError('cancelled')
    acts.push(await lastTokenActs(reader, sae, ids))
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
