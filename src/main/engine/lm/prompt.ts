/** A text as a model reads it: its tokens, with the BOS token before them where the tokenizer has one. */
import { AppError } from '../../../shared/errors'

export type PromptEncoder = {
  encode(text: string): number[] | Promise<number[]>
  /** Put before every text; null for none. */
  bosId: number | null
  contextSize: number
}

/**
 * Ids of a prompt. A text that writes the BOS token itself, as chat templates do, does not get a second one.
 * @throws AppError prompt-empty, prompt-too-long
 */
export async function promptIds({ encode, bosId, contextSize }: PromptEncoder, text: string): Promise<number[]> {
  if (text.trim() === '') throw new AppError('prompt-empty')
  const ids = await encode(text)
  if (ids.length === 0) throw new AppError('prompt-empty')
  const withBos = bosId === null || ids[0] === bosId ? ids : [bosId, ...ids]
  if (withBos.length > contextSize)
    throw new AppError('prompt-too-long', { tokens: withBos.length, limit: contextSize })
  return withBos
}
