/** Answers of the warm worker about datasets: some documents as they are read, and how many tokens they make. */
import { AppError } from '../../shared/errors'
import { beginningOf, readDocuments } from '../files/documents'
import { loadTokenizer } from '../engine/lm'
import type { Requests } from '../jobs/messages'
import { giveWay } from './channel'

const PREVIEW_CHARACTERS = 4000
/** Text that is counted token by token; beyond it the mean of the documents so far is taken for the others. */
const COUNTED_CHARACTERS = 8 * 1024 * 1024
/** Documents between two looks at the outside world. */
const GROUP = 64

/** Code points, which is what a cut text is measured in, too. */
function charactersOf(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; count++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return count
}

/** @throws AppError as readDocuments */
export async function previewDocuments(
  { dataset, first, count }: Requests['previewDocuments']['ask'],
  signal?: AbortSignal,
): Promise<Requests['previewDocuments']['answer']> {
  const shown: Requests['previewDocuments']['answer'] = []
  for await (const { index, text } of readDocuments(dataset, signal)) {
    if (index < first) continue
    shown.push({ index, text: beginningOf(text, PREVIEW_CHARACTERS), characters: charactersOf(text) })
    if (shown.length === count) break
  }
  return shown
}

/**
 * Tokens of a dataset, without BOS. A large one is estimated: tokens per document of its beginning, times its documents.
 * @throws AppError as readDocuments and loadTokenizer; cancelled
 */
export async function countTokens(
  { dataset, documents, modelPath }: Requests['countTokens']['ask'],
  signal?: AbortSignal,
): Promise<Requests['countTokens']['answer']> {
  const tokenizer = await loadTokenizer(modelPath)
  let [tokens, characters, counted] = [0, 0, 0]
  for await (const { text } of readDocuments(dataset, signal)) {
    if (characters >= COUNTED_CHARACTERS) return { tokens: Math.round((tokens / counted) * documents), isExact: false }
    tokens += (await tokenizer.encode(text)).length
    characters += text.length
    counted += 1
    if (counted % GROUP === 0) await giveWay()
    if (signal?.aborted) throw new AppError('cancelled')
  }
  return { tokens, isExact: true }
}
