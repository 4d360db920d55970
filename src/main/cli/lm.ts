/** `lm`: asks a language model directly, to see that it works and what it predicts. */
import type { Command } from 'commander'
import type { Generated } from '../../shared/contract/lm'
import { addChatCommand } from './chat'
import { findModel, toNumber } from './find'
import { followTexts, samplingOf, withSampling, type SamplingOptions } from './generate'
import type { RunCommand } from './run-command'
import type { Session } from './session'

const DEFAULT_TOKENS = 64

/** White space as people can see it, one token a line. */
const visible = (text: string) => text.replaceAll(' ', '·').replaceAll('\n', '↵').replaceAll('\t', '→')

async function read(session: Session, text: string, options: { model?: string; top: number }): Promise<void> {
  const { client, out, signal } = session
  const { id: modelId } = await findModel(session, options.model)
  const reading = await client.call('lm.read', { modelId, text, top: options.top }, signal)
  for (const token of reading.tokens) {
    const next = token.next.map((one) => `${visible(one.text)} ${(100 * one.probability).toFixed(1)} %`)
    out.result(token, [token.loss?.toFixed(3) ?? '-', visible(token.text), ...next].join('\t'))
  }
  const [tokens, nats] = [reading.tokens.length, reading.meanLoss?.toFixed(4) ?? '-']
  out.note(out.say('readText', { tokens, nats, took: out.took(reading) }))
}

/** Continues prompts; people see the text of a single prompt grow, programs get every token. */
async function continueTexts(session: Session, prompts: string[], options: SamplingOptions): Promise<void> {
  const { out } = session
  const { id: modelId } = await findModel(session, options.model)
  const texts = prompts.map(() => '')
  const take = (event: Generated) => {
    if (event.type === 'token') texts[event.prompt] = `${texts[event.prompt] ?? ''}${event.text}`
    if (out.isJson) out.result(event, '')
    else if (event.type === 'end') out.result(event, `${prompts[event.prompt] ?? ''}${texts[event.prompt] ?? ''}`)
  }
  await followTexts(session, { modelId, prompts, sampling: samplingOf(options) }, take)
}

export function addLmCommands(program: Command, run: RunCommand): void {
  const lm = program.command('lm').description('ask a language model directly')
  lm.command('read <text>')
    .description('loss of every token, nats, and what the model expects after it')
    .option('--model <id or name>', 'the newest unless given')
    .option('--top <tokens>', 'expected tokens to print', toNumber, 5)
    .action((text: string, options: { model?: string; top: number }) => run((session) => read(session, text, options)))
  withSampling(lm.command('continue <prompt...>').description('continue one or more prompts'), DEFAULT_TOKENS).action(
    (prompts: string[], options: SamplingOptions) => run((session) => continueTexts(session, prompts, options)),
  )
  addChatCommand(lm, run)
}
