/** `lm chat`: a conversation in the model's own chat template, one message a line; the answers are written as they come. */
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { ChatMessage, Generated } from '../../shared/contract/lm'
import { findModel } from './find'
import { followTexts, samplingOf, withSampling, type SamplingOptions } from './generate'
import type { RunCommand } from './run-command'
import type { Session } from './session'

type ChatOptions = SamplingOptions & { system?: string }
type Turn = { modelId: number; messages: readonly ChatMessage[]; options: ChatOptions; turn: number }

const DEFAULT_TOKENS = 512

/** One answer; tokens that are no text, as the one that ends it, are told to programs only. @returns what it says */
async function answer(session: Session, { modelId, messages, options, turn }: Turn): Promise<string> {
  const { client, out, signal } = session
  const { text: prompt } = await client.call('lm.chatText', { modelId, messages: [...messages] }, signal)
  let content = ''
  const ends: Extract<Generated, { type: 'end' }>['reason'][] = []
  const take = (event: Generated) => {
    if (out.isJson) out.result({ turn, ...event }, '')
    if (event.type === 'end') return void ends.push(event.reason)
    if (event.special) return
    content += event.text
    if (!out.isJson) out.part(event.text)
  }
  await followTexts(session, { modelId, prompts: [prompt], sampling: samplingOf(options) }, take)
  if (out.isJson) out.result({ turn, role: 'assistant', content }, '')
  else out.part('\n')
  if (ends.includes('length')) out.note(out.say('chatLength'))
  if (ends.includes('context')) out.note(out.say('chatContext'))
  return content
}

/** Messages as they are typed or piped, empty lines left out; ends with the input or at Ctrl-C. */
async function* typed({ out, signal }: Session, input: NodeJS.ReadableStream): AsyncGenerator<string> {
  const isTyped = out.isInteractive && process.stdin.isTTY
  const lines = createInterface({ input, signal, ...(isTyped && { output: process.stderr, prompt: '> ' }) })
  // While a line is edited the terminal hands Ctrl-C to the editor, not to the process.
  lines.on('SIGINT', () => process.emit('SIGINT'))
  if (isTyped) lines.prompt()
  for await (const line of lines) {
    if (line.trim() !== '') yield line
    if (signal.aborted) return
    if (isTyped) lines.prompt()
  }
}

/** @param input where the messages come from, one a line */
async function chat(session: Session, options: ChatOptions, input: NodeJS.ReadableStream): Promise<void> {
  const { id: modelId } = await findModel(session, options.model)
  const messages: ChatMessage[] = options.system ? [{ role: 'system', content: options.system }] : []
  let turn = 0
  for await (const content of typed(session, input)) {
    messages.push({ role: 'user', content })
    turn += 1
    messages.push({ role: 'assistant', content: await answer(session, { modelId, messages, options, turn }) })
    if (session.signal.aborted) return
  }
}

export function addChatCommand(lm: Command, run: RunCommand): void {
  withSampling(
    lm
      .command('chat')
      .description('talk with a model in its own chat template: one message a line on standard input, until it ends')
      .option('--system <text>', 'an instruction for the whole conversation'),
    DEFAULT_TOKENS,
  ).action((options: ChatOptions) => run((session) => chat(session, options, process.stdin)))
}
