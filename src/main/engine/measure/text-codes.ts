/** Every active feature on every token of a text, read in the same windows as a corpus is for an atlas. */
import { AppError } from '../../../shared/errors'
import type { LanguageModel } from '../lm/model'
import type { Sae } from '../sae/loaded'
import { residsOf } from '../train/activations'
import { cutDocument } from '../train/contexts'
import { tf } from '../tf'
import type { TextFit } from './text-fit'
import { rowCodes } from './window-codes'
import type { RowCodes } from './window-codes'

export type TextReader = {
  model: LanguageModel
  sae: Sae
  hookName: string
  bosId: number | null
  /** Tokens that are no text and have no active features. */
  specialIds: ReadonlySet<number>
  contextSize: number
  /** Tokens with a larger norm are attention sinks and have no active features; null where that is not known. */
  sinkNorm: number | null
  /** Takes in how well the tokens are reconstructed, where that is wanted. */
  fit?: TextFit
}

/** `sinks` are attention sinks, special tokens not among them. */
export type TextCodes = { ids: Int32Array; sinks: number; codes: RowCodes }

/** Tokens that are encoded at once: [rows, dSae] stays small for any dictionary. */
const BLOCK_VALUES = 16 * 1024 * 1024

function joined(parts: readonly RowCodes[]): RowCodes {
  const rows = parts.reduce((sum, { starts }) => sum + starts.length - 1, 0)
  const entries = parts.reduce((sum, { starts }) => sum + (starts.at(-1) ?? 0), 0)
  const all = {
    starts: new Uint32Array(rows + 1),
    features: new Uint32Array(entries),
    values: new Float32Array(entries),
  }
  let [row, entry] = [0, 0]
  for (const { starts, features, values } of parts) {
    const count = starts.at(-1) ?? 0
    all.features.set(features.subarray(0, count), entry)
    all.values.set(values.subarray(0, count), entry)
    for (const start of starts.subarray(1)) all.starts[++row] = entry + start
    entry += count
  }
  return all
}

/**
 * @param ids of the text, without BOS
 * @param goOn asked between windows; false gives up
 * @param from features are wanted of this token and those after it; earlier ones have none
 * @throws AppError cancelled
 */
export async function encodeText(
  ids: readonly number[],
  reader: TextReader,
  goOn: () => Promise<boolean>,
  from = 0,
): Promise<TextCodes> {
  const { model, sae, hookName, bosId, specialIds, contextSize, sinkNorm } = reader
  const { dIn, dSae } = sae
  const parts: RowCodes[] = []
  let sinks = 0
  let nextRow = 0
  for (const window of cutDocument([...ids], { contextSize, bosId })) {
    if (!(await goOn())) throw new AppError('cancelled')
    const [vectors = new Float32Array()] = residsOf(model, [hookName], { ids: Int32Array.from(window.ids), rows: 1 })
    const text = vectors.subarray(bosId === null ? 0 : dIn)
    const rows = text.length / dIn
    const skipped = Math.min(rows, Math.max(0, from - window.start))
    parts.push(emptyRows(window.start + skipped - nextRow))
    nextRow = window.start + rows
    const atOnce = Math.max(1, Math.floor(BLOCK_VALUES / dSae))
    for (let first = skipped; first < rows; first += atOnce) {
      const block = text.subarray(first * dIn, Math.min(rows, first + atOnce) * dIn)
      const dropped = sinksOf(block, dIn, sinkNorm)
      dropped.forEach((sink, row) => {
        const isSpecial = specialIds.has(ids[window.start + first + row] ?? -1)
        if (sink === 1 && !isSpecial) sinks += 1
        if (isSpecial) dropped[row] = 1
      })
      const featureActs = tf.tidy(() => sae.encode(tf.tensor2d(block, [dropped.length, dIn])))
      parts.push(rowCodes(featureActs.dataSync<'float32'>(), dSae, dropped))
      if (reader.fit) {
        const saeOut = tf.tidy(() => sae.decode(featureActs))
        reader.fit.add(block, saeOut.dataSync<'float32'>(), dropped)
        saeOut.dispose()
      }
      featureActs.dispose()
    }
  }
  parts.push(emptyRows(ids.length - nextRow))
  return { ids: Int32Array.from(ids), sinks, codes: joined(parts) }
}

/** Codes of tokens that are not looked at: those before `from`, and a BOS of the text that begins a window. */
const emptyRows = (rows: number): RowCodes => ({
  starts: new Uint32Array(rows + 1),
  features: new Uint32Array(),
  values: new Float32Array(),
})

/** 1 for each row beyond the norm. */
function sinksOf(vectors: Float32Array, dIn: number, sinkNorm: number | null): Uint8Array {
  return Uint8Array.from({ length: vectors.length / dIn }, (_, row) => {
    const norm = Math.sqrt(vectors.subarray(row * dIn, (row + 1) * dIn).reduce((sum, value) => sum + value * value, 0))
    return norm > (sinkNorm ?? Infinity) ? 1 : 0
  })
}
