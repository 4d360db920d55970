/** `models` and `datasets`: what the workspace works on. */
import type { Command } from 'commander'
import type { Dataset, Model } from '../../shared/domain'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { userPath } from './session'

export const modelLine = (out: Output, { id, name, family, layers, dModel: width, parameters }: Model): string =>
  out.say('modelAdded', { id, name, family, layers, width, parameters: parameters.toLocaleString('en-US') })

export const datasetLine = (out: Output, { id, name, documents, bytes }: Dataset): string =>
  out.say('datasetAdded', { id, name, documents, bytes: bytes.toLocaleString('en-US') })

export function addLibraryCommands(program: Command, run: RunCommand): void {
  const models = program.command('models').description('language models of the workspace')
  models
    .command('add <folder>')
    .description('add a model folder: config.json, tokenizer.json and safetensors weights')
    .option('--name <name>', 'what to call it; the folder name unless given')
    .action((folder: string, { name }: { name?: string }) =>
      run(async ({ client, out, signal }) => {
        const model = await client.call('models.add', { path: userPath(folder), name }, signal)
        out.result(model, modelLine(out, model))
      }),
    )
  models
    .command('list')
    .description('list the models')
    .action(() =>
      run(async ({ client, out }) => out.list(await client.call('models.list', {}), (model) => modelLine(out, model))),
    )

  const datasets = program.command('datasets').description('texts of the workspace')
  datasets
    .command('add <file>')
    .description('add a text or JSONL file')
    .option('--name <name>', 'what to call it; the file name unless given')
    .option('--text-field <field>', 'JSON field that holds the text', 'text')
    .action((file: string, { name, textField }: { name?: string; textField: string }) =>
      run(async ({ client, out, signal }) => {
        const dataset = await client.call('datasets.add', { path: userPath(file), name, textField }, signal)
        out.result(dataset, datasetLine(out, dataset))
      }),
    )
  datasets
    .command('list')
    .description('list the datasets')
    .action(() =>
      run(async ({ client, out }) =>
        out.list(await client.call('datasets.list', {}), (dataset) => datasetLine(out, dataset)),
      ),
    )
}
