/** Continuing prompts from the command line: one feed, followed to its end or to Ctrl-C. */
import type { Generated, Sampling } from '../../shared/contract/lm'
import { toNumber } from './find'
import type { Session } from './session'
import type { Command } from 'commander'

export type SamplingOptions = { model?: string; tokens: number; temperature: number; topP: number; seed: number }

export const samplingOf = ({ tokens, temperature, topP, seed }: SamplingOptions): Sampling => ({
  ...{ maxTokens: tokens, temperature, topP, seed },
})

/** The options that say which model writes and how its tokens are drawn. */
export const withSampling = (command: Command, tokens: number): Command =>
  command
    .option('--model <id or name>', 'the newest unless given')
    .option('--tokens <count>', 'tokens to write', toNumber, tokens)
    .option('--temperature <t>', '0 takes the most probable token', toNumber, 0)
    .option('--top-p <share>', 'draw from the fewest tokens that reach this share', toNumber, 1)
    .option('--seed <seed>', 'same seed, same text', toNumber, 0)

/** Tells every event as it comes; ends quietly at Ctrl-C. @throws AppError of the model or the prompts */
export function followTexts(
  { client, signal }: Session,
  input: { modelId: number; prompts: string[]; sampling: Sampling },
  take: (event: Generated) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal.aborted) return resolve()
    const onAbort = () => {
      stop()
      resolve()
    }
    const stop = client.feed('lm.generate', input, take, (error) => {
      signal.removeEventListener('abort', onAbort)
      if (error) reject(error)
      else resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
