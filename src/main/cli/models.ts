/** `models`: the language models of the workspace. */
import type { Command } from 'commander'
import type { Model } from '../../shared/domain'
import { isHubSource } from '../hub/source'
import { downloadModel } from './hub'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import { userPath } from './session'

export const modelLine = (out: Output, { id, name, family, layers, dModel: width, parameters }: Model): string =>
  out.say('modelAdded', { id, name, family, layers, width, parameters: parameters.toLocaleString('en-US') })

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
    .action((source: string, { name }: { name?: string }) =>
      run(async (session) => {
        const { client, out, signal } = session
        const model = isHubSource(source)
          ? await downloadModel(session, source, name)
          : await client.call('models.add', { path: userPath(source), name }, signal)
        if (!model) return STOPPED
        out.result(model, modelLine(out, model))
        warnOf(out, model)
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
