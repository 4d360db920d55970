/** Generated tokens of one prompt, put together to text that can be shown. */
import type { Generated } from '../../../shared/contract/lm'

/** Text that came whole with the last of its tokens; several when one character is spread over tokens. */
export type Piece = { text: string; special: boolean; ids: number[]; probabilities: number[] }
export type EndReason = Extract<Generated, { type: 'end' }>['reason'] | 'stopped' | 'failed'
export type Continuation = {
  prompt: string
  pieces: Piece[]
  pending: Omit<Piece, 'text' | 'special'>
  end: EndReason | null
}

export const newContinuation = (prompt: string): Continuation => ({
  ...{ prompt, pieces: [], pending: { ids: [], probabilities: [] }, end: null },
})

/** Takes one event of the feed in. */
export function append(continuation: Continuation, event: Generated): void {
  if (event.type === 'end') {
    continuation.end = event.reason
    return
  }
  const { pending } = continuation
  pending.ids.push(event.id)
  pending.probabilities.push(event.probability)
  // A character that still lacks bytes waits for them.
  if (event.text === '') return
  continuation.pieces.push({ text: event.text, special: event.special, ...pending })
  continuation.pending = { ids: [], probabilities: [] }
}

/** Tokens so far, those of an unfinished character included. */
export const tokenCount = ({ pieces, pending }: Continuation): number =>
  pieces.reduce((sum, { ids }) => sum + ids.length, pending.ids.length)
