/** `models` and `datasets`: add, list, remove. */
import type { Command } from 'commander'
import type { Dataset, Model } from '../../shared/domain'
import { table } from './output'
import { action, fromHere, pick, type OpenClient } from './session'
import { megabytes, type Words } from './words'

export const modelLine = (words: Words, model: Model): string =>
  words('modelAdded', {
    id: model.id,
    name: model.name,
    family: model.family,
    layers: model.layers,
    width: model.dModel,
    size: megabytes(model.weightBytes),
  })

export const datasetLine = (words: Words, dataset: Dataset): string =>
  words('datasetAdded', {
    id: dataset.id,
    name: dataset.name,
    documents: dataset.documents,
    size: megabytes(dataset.bytes),
  })

function addModels(program: Command, open: OpenClient): void {
  const models = program.command('models').description('models of the workspace')
  models
    .command('add <folder>')
    .description('check a model folder and add it')
    .option('--name <name>', 'name to show')
    .action(
      action(open, async ({ client, out, words }, folder: string, { name }: { name?: string }) => {
        const model = await client.call('models.add', { path: fromHere(folder), ...(name ? { name } : {}) })
        out.result(model, modelLine(words, model))
      }),
    )
  models
    .command('list')
    .description('list the models')
    .action(
      action(open, async ({ client, out, words }) => {
        const list = await client.call('models.list', {})
        const rows = list.map((m) => [
          String(m.id),
          m.name,
          m.family,
          `${m.layers} x ${m.dModel}`,
          m.dtype,
          megabytes(m.weightBytes),
          m.path,
        ])
        out.result(list, list.length ? table(rows) : words('nothing'))
      }),
    )
  models
    .command('remove <model>')
    .description('forget a model; its files stay')
    .action(
      action(open, async ({ client, out }, wanted: string) => {
        const model = pick('model', await client.call('models.list', {}), wanted)
        await client.call('models.remove', { modelId: model.id })
        out.result({ removed: model.id }, model.name)
      }),
    )
}

function addDatasets(program: Command, open: OpenClient): void {
  const datasets = program.command('datasets').description('texts of the workspace')
  datasets
    .command('add <path>')
    .description('check a text or JSONL file, or a folder of them, and add it')
    .option('--name <name>', 'name to show')
    .option('--text-field <field>', 'JSON field that holds the text', 'text')
    .action(
      action(open, async ({ client, out, words }, path: string, options: { name?: string; textField: string }) => {
        const { name, textField } = options
        const dataset = await client.call('datasets.add', {
          path: fromHere(path),
          textField,
          ...(name ? { name } : {}),
        })
        out.result(dataset, datasetLine(words, dataset))
      }),
    )
  datasets
    .command('list')
    .description('list the datasets')
    .action(
      action(open, async ({ client, out, words }) => {
        const list = await client.call('datasets.list', {})
        const rows = list.map((d) => [
          String(d.id),
          d.name,
          d.format,
          d.documents.toLocaleString('en-US'),
          megabytes(d.bytes),
          d.path,
        ])
        out.result(list, list.length ? table(rows) : words('nothing'))
      }),
    )
  datasets
    .command('remove <dataset>')
    .description('forget a dataset; its files stay')
    .action(
      action(open, async ({ client, out }, wanted: string) => {
        const dataset = pick('dataset', await client.call('datasets.list', {}), wanted)
        await client.call('datasets.remove', { datasetId: dataset.id })
        out.result({ removed: dataset.id }, dataset.name)
      }),
    )
}

export function addLibraryCommands(program: Command, open: OpenClient): void {
  addModels(program, open)
  addDatasets(program, open)
}
