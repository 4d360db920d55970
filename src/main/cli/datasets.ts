/** `datasets`: the texts of the workspace. */
import type { Command } from 'commander'
import type { Dataset } from '../../shared/domain'
import { isHubSource } from '../hub/source'
import { findDataset, findModel, toNumber } from './find'
import { downloadDataset } from './hub'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import { userPath } from './session'

export const datasetLine = (out: Output, { id, name, documents, bytes }: Dataset): string =>
  out.say('datasetAdded', { id, name, documents, bytes: bytes.toLocaleString('en-US') })

type DatasetOptions = {
  name?: string
  textField: string
  deduplicate?: boolean
  config: string
  split: string
  rows: string
}

export function addDatasetCommands(program: Command, run: RunCommand): void {
  const datasets = program.command('datasets').description('texts of the workspace')
  datasets
    .command('add <file>')
    .description(
      'add a file or folder of text, JSONL, JSON, CSV or Parquet (also .gz, .zst), or download rows of the Parquet dataset hub:org/name[@revision]',
    )
    .option('--name <name>', 'what to call it; the file name unless given')
    .option('--text-field <field>', 'JSON field or column that holds the text', 'text')
    .option('--deduplicate', 'leave out documents whose text came before')
    .option('--config <name>', 'of a hub dataset: its configuration', 'default')
    .option('--split <name>', 'of a hub dataset: its split', 'train')
    .option('--rows <first..end>', 'of a hub dataset: which rows, the end not included', '0..10000')
    .action((source: string, options: DatasetOptions) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { name, textField, deduplicate = false } = options
        const dataset = isHubSource(source)
          ? await downloadDataset(session, source, options)
          : await client.call('datasets.add', { path: userPath(source), name, textField, deduplicate }, signal)
        if (!dataset) return STOPPED
        out.result(dataset, datasetLine(out, dataset))
        return 0
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
  addReadingCommands(datasets, run)
}

/** Looking into a dataset. */
function addReadingCommands(datasets: Command, run: RunCommand): void {
  datasets
    .command('preview <dataset>')
    .description('print some documents as they are read')
    .option('--first <index>', 'where to begin', toNumber, 0)
    .option('--count <documents>', 'how many', toNumber, 10)
    .action((wanted: string, { first, count }: { first: number; count: number }) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: datasetId } = await findDataset(session, wanted)
        const documents = await client.call('datasets.preview', { datasetId, first, count }, signal)
        out.list(documents, ({ index, text }) => `${index}\t${JSON.stringify(text)}`)
      }),
    )
  datasets
    .command('tokens <dataset>')
    .description('count the tokens that a model makes of it')
    .option('--model <id or name>', 'the newest unless given')
    .action((wanted: string, { model }: { model?: string }) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: datasetId, name } = await findDataset(session, wanted)
        const { id: modelId, name: modelName } = await findModel(session, model)
        const counted = await client.call('datasets.countTokens', { datasetId, modelId }, signal)
        const tokens = counted.tokens.toLocaleString('en-US')
        out.result(counted, out.say(counted.isExact ? 'tokensCounted' : 'tokensEstimated', { name, modelName, tokens }))
      }),
    )
}
