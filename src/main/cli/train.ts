/** `train`, `atlas`, `runs`, `saes`, `export`: the way from a model and a text to a catalog. */
import { Option, type Command } from 'commander'
import type { TrainConfig } from '../../shared/domain'
import { presetFor } from '../../shared/presets'
import { chosenSae } from './features'
import { followAtlasOf, followJob, followRun, saeById, saeLines } from './follow'
import { table } from './output'
import { action, decimal, fromHere, pick, wholeNumber, type OpenClient, type Session } from './session'
import { megabytes } from './words'

type TrainOptions = {
  model?: string
  dataset?: string
  name?: string
  hook?: string
  atlas: boolean
} & Partial<Record<(typeof NUMBERS)[number][0], string>>

/** Options that are numbers: name in the program, name on the command line, what it is. */
const NUMBERS = [
  ['dSae', 'd-sae', 'number of features', wholeNumber],
  ['l1Coefficient', 'l1-coefficient', 'lambda of the sparsity penalty', decimal],
  ['learningRate', 'learning-rate', 'learning rate', decimal],
  ['batchTokens', 'batch-tokens', 'tokens per step', wholeNumber],
  ['trainingTokens', 'training-tokens', 'tokens in all', wholeNumber],
  ['contextSize', 'context-size', 'tokens per context', wholeNumber],
  ['bufferTokens', 'buffer-tokens', 'tokens in the shuffle buffer', wholeNumber],
  ['seed', 'seed', 'seed of everything random', wholeNumber],
] as const

/** The preset of a model and dataset, with what the options say instead. */
export async function trainConfig(session: Session, options: Omit<TrainOptions, 'atlas'>): Promise<TrainConfig> {
  const model = pick('model', await session.client.call('models.list', {}), options.model)
  const dataset = pick('dataset', await session.client.call('datasets.list', {}), options.dataset)
  const preset = presetFor({
    modelId: model.id,
    datasetId: dataset.id,
    dModel: model.dModel,
    layers: model.layers,
    contextSize: model.contextSize,
    datasetBytes: dataset.bytes,
  })
  const given: Partial<TrainConfig> = options.hook ? { hookName: options.hook } : {}
  for (const [key, flag, , parse] of NUMBERS) {
    const text = options[key]
    if (text !== undefined) given[key] = parse(`--${flag}`, text)
  }
  return { ...preset, ...given }
}

function addTrain(program: Command, open: OpenClient): void {
  const train = program
    .command('train')
    .description('train a sparse autoencoder, then build its feature atlas')
    .option('--model <id>', 'model, the newest unless given')
    .option('--dataset <id>', 'dataset, the newest unless given')
    .option('--name <name>', 'name of the run')
    .option('--hook <name>', 'hook point, the residual stream of the middle block unless given')
    .option('--no-atlas', 'do not build the atlas')
  for (const [, flag, what] of NUMBERS) train.option(`--${flag} <n>`, what)
  train.action(
    action(open, async (session, options: TrainOptions) => {
      const config = await trainConfig(session, options)
      const name = options.name ?? `${config.hookName} ${config.dSae}`
      const started = await session.client.call('runs.start', { name, config, atlas: options.atlas })
      const run = await followRun(session, started.id)
      const saeId = run.saeId ?? 0
      const sae = options.atlas ? await followAtlasOf(session, saeId) : await saeById(session, saeId)
      session.out.result({ run, sae }, saeLines(session, sae))
    }),
  )
}

function addAtlas(program: Command, open: OpenClient): void {
  program
    .command('atlas')
    .description('encode a dataset and write statistics and contexts of every feature')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .option('--dataset <id>', 'dataset, the newest unless given')
    .action(
      action(open, async (session, options: { sae?: string; dataset?: string }) => {
        const chosen = await chosenSae(session, options.sae)
        const dataset = pick('dataset', await session.client.call('datasets.list', {}), options.dataset)
        const job = await session.client.call('atlas.start', { saeId: chosen.id, datasetId: dataset.id })
        await followJob(session, job.id)
        const sae = await saeById(session, chosen.id)
        session.out.result(sae, saeLines(session, sae).slice(-1))
      }),
    )
}

function addLists(program: Command, open: OpenClient): void {
  program
    .command('runs')
    .description('training runs')
    .command('list')
    .description('list the runs')
    .action(
      action(open, async ({ client, out, words }) => {
        const runs = await client.call('runs.list', {})
        const rows = runs.map((run) => [
          String(run.id),
          run.name,
          run.state,
          `${run.step}/${run.steps}`,
          run.summary ? `EV ${run.summary.explainedVariance.toFixed(3)} L0 ${run.summary.l0.toFixed(1)}` : '',
        ])
        out.result(runs, rows.length ? table(rows) : words('nothing'))
      }),
    )
  program
    .command('saes')
    .description('trained autoencoders')
    .command('list')
    .description('list the autoencoders')
    .action(
      action(open, async ({ client, out, words }) => {
        const saes = await client.call('saes.list', {})
        const rows = saes.map((sae) => [
          String(sae.id),
          sae.name,
          sae.hookName,
          String(sae.dSae),
          sae.sha256.slice(0, 8),
          sae.path,
        ])
        out.result(saes, rows.length ? table(rows) : words('nothing'))
      }),
    )
}

type ExportOptions = { sae?: string; format: 'jsonl' | 'csv'; which: 'alive' | 'all' | 'labelled'; folder?: string }

function addExport(program: Command, open: OpenClient): void {
  program
    .command('export')
    .description('write a catalog: labels, tags, safety flags, statistics, contexts')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .addOption(new Option('--format <format>', 'file format').choices(['jsonl', 'csv']).default('jsonl'))
    .addOption(
      new Option('--which <features>', 'which features').choices(['alive', 'all', 'labelled']).default('alive'),
    )
    .option('--folder <folder>', "folder to write into, the workspace's exports unless given")
    .action(
      action(open, async (session, options: ExportOptions) => {
        const sae = await chosenSae(session, options.sae)
        const { format, which, folder } = options
        const written = await session.client.call('catalog.export', {
          saeId: sae.id,
          format,
          which,
          ...(folder ? { folder: fromHere(folder) } : {}),
        })
        const { features, bytes, path } = written
        session.out.result(written, session.words('exported', { features, size: megabytes(bytes), path }))
      }),
    )
}

export function addTrainCommands(program: Command, open: OpenClient): void {
  addTrain(program, open)
  addAtlas(program, open)
  addLists(program, open)
  addExport(program, open)
}
