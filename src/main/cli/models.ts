/** `models`: the language models of the workspace. */
import { Argument, type Command, Option } from 'commander'
import type { Model } from '../../shared/domain'
import { isHubSource } from '../hub/source'
import { startOf, TextStart } from '../../shared/text-start'
import { findModel } from './find'
import { downloadModel } from './hub'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import { userPath } from './session'

export const modelLine = (out: Output, { id, name, family, layers, dModel: width, parameters }: Model): string =>
  out.say('modelAdded', { id, name, family, layers, width, parameters: parameters.toLocaleString('en-US') })

/** What a text starts with; nothing of a model for which that was never looked up. */
function startLine(out: Output, { startTokens, textStart }: Model): string[] {
  if (!startTokens) return []
  const token = startOf(startTokens, textStart)
  return [
    token === null
      ? out.say('textStartsBare', { choice: textStart })
      : out.say('textStarts', { token, choice: textStart }),
  ]
}

const aboutModel = (out: Output, model: Model) => [modelLine(out, model), ...startLine(out, model)].join('\n')

const STARTS = 'own (what its tokenizer adds), bos (the bos_token that its files name), none'

/** What a user should know of the weights, besides that they were taken in. */
function warnOf(out: Output, { nanTensors, unusedTensors }: Model): void {
  const named = ({ first, count }: Model['nanTensors']) => first.join(', ') + (count > first.length ? ', …' : '')
  if (nanTensors.count > 0) out.note(out.say('nanTensors', { count: nanTensors.count, names: named(nanTensors) }))
  if (unusedTensors.count > 0) {
    out.note(out.say('unusedTensors', { count: unusedTensors.count, names: named(unusedTensors) }))
  }
}

export function addModelCommands(program: Command, run: RunCommand): void {
  const models = program.command('models').description('language models of the workspace')
  models
    .command('add <folder>')
    .description(
      'add a model folder (config.json, tokenizer.json, safetensors weights), or download hub:org/name[@revision]',
    )
    .option('--name <name>', 'what to call it; the folder name unless given')
    .addOption(
      new Option('--text-start <choice>', `what stands before every text: ${STARTS}`).choices(TextStart.options),
    )
    .action((source: string, { name, textStart }: { name?: string; textStart?: TextStart }) =>
      run(async (session) => {
        const { client, out, signal } = session
        const model = isHubSource(source)
          ? await downloadModel(session, { source, name, textStart })
          : await client.call('models.add', { path: userPath(source), name, textStart }, signal)
        if (!model) return STOPPED
        out.result(model, aboutModel(out, model))
        warnOf(out, model)
        return 0
      }),
    )
  models
    .command('text-start')
    .argument('<model>', 'id or name')
    .addArgument(new Argument('<choice>').choices(TextStart.options))
    .description(
      `choose what stands before every text of a model: ${STARTS}; autoencoders keep what stood there in training`,
    )
    .action((wanted: string, textStart: TextStart) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: modelId } = await findModel(session, wanted)
        const model = await client.call('models.setTextStart', { modelId, textStart }, signal)
        out.result(model, aboutModel(out, model))
        return 0
      }),
    )
  models
    .command('list')
    .description('list the models')
    .action(() =>
      run(async ({ client, out }) => out.list(await client.call('models.list', {}), (model) => modelLine(out, model))),
    )
}
