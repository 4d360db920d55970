/** `train`, `atlas` and `runs`: the long work, followed to its end. */
import type { Command } from 'commander'
import type { ActivationSet, Run, Sae, TrainConfig } from '../../shared/domain'
import { presetFor } from '../../shared/presets'
import { forecastLines } from './forecast-lines'
import { findActivations, findDataset, findModel, findSae, toNumber } from './find'
import { atlasJobOf, followJob, followRun } from './follow'
import type { RunCommand } from './run-command'
import type { Output } from './output'
import type { Session } from './session'
import { addSettingOptions, unusedOption, withSettings, type SettingOptions } from './train-options'

/** The exit status of a command that was stopped by Ctrl-C, as shells expect it. */
export const STOPPED = 130

type TrainOptions = SettingOptions & {
  model?: string
  dataset?: string
  name?: string
  atlas: boolean
  forecast?: boolean
  activations?: string
  hook?: string
  dSae?: number
  l1?: number
  lr?: number
  batchTokens?: number
  tokens?: number
  steps?: number
  context?: number
  bufferTokens?: number
  seed?: number
}

export const runLine = (out: Output, { id, name, state, summary }: Run): string =>
  summary
    ? out.say('runDone', {
        id,
        name,
        state,
        tokens: summary.heldOutTokens,
        ev: summary.explainedVariance.toFixed(3),
        l0: summary.l0.toFixed(2),
      })
    : out.say('runEnded', { id, name, state })

const atlasLine = (out: Output, { id, name, atlas }: Sae): string =>
  out.say('atlasDone', {
    id,
    name,
    tokens: atlas?.tokens ?? 0,
    documents: atlas?.documents ?? 0,
    live: atlas?.liveFeatures ?? 0,
  })

/** The preset's hook point where the set has it. */
const hookOf = (set: ActivationSet | null, preset: string): string =>
  !set || set.hookNames.includes(preset) ? preset : (set.hookNames[0] ?? preset)

/** The preset for what was chosen, with the options laid over it. */
async function configOf(session: Session, options: TrainOptions): Promise<TrainConfig> {
  const set = options.activations === undefined ? null : await findActivations(session, options.activations)
  const model = await findModel(session, options.model ?? (set ? String(set.modelId) : undefined))
  const dataset = await findDataset(session, options.dataset ?? (set ? String(set.datasetId) : undefined))
  const { dModel, layers, contextSize } = model
  const preset = presetFor({
    modelId: model.id,
    datasetId: dataset.id,
    dModel,
    layers,
    contextSize,
    datasetBytes: dataset.bytes,
    ...(options.architecture === undefined ? {} : { architecture: options.architecture }),
  })
  const batchTokens = options.batchTokens ?? preset.batchTokens
  const trainingTokens =
    options.tokens ?? (options.steps === undefined ? preset.trainingTokens : options.steps * batchTokens)
  return {
    ...withSettings(preset, options),
    batchTokens,
    trainingTokens,
    activationsId: set?.id ?? null,
    hookName: options.hook ?? hookOf(set, preset.hookName),
    dSae: options.dSae ?? preset.dSae,
    l1Coefficient: options.l1 ?? preset.l1Coefficient,
    learningRate: options.lr ?? preset.learningRate,
    contextSize: options.context ?? preset.contextSize,
    bufferTokens: options.bufferTokens ?? preset.bufferTokens,
    seed: options.seed ?? preset.seed,
  }
}

async function train(session: Session, options: TrainOptions): Promise<number> {
  const { client } = session
  const config = await configOf(session, options)
  if (options.forecast === true) return printForecast(session, config)
  // Measured first, so that the run is told and kept with what it will take.
  const forecast = await client.call('runs.forecast', { config }, session.signal)
  for (const line of forecastLines(session.out, forecast)) session.out.note(line)
  const name = options.name ?? `${config.hookName} ${config.dSae}`
  const { id } = await client.call('runs.start', { name, config, atlas: options.atlas })
  return finish(session, id)
}

/** Says what the run would take, and starts nothing. */
async function printForecast({ client, out, signal }: Session, config: TrainConfig): Promise<number> {
  const forecast = await client.call('runs.forecast', { config }, signal)
  out.result(forecast, forecastLines(out, forecast))
  return 0
}

async function resume(session: Session, id: number): Promise<number> {
  await session.client.call('runs.resume', { runId: id })
  return finish(session, id)
}

/** Waits for a training, and for the atlas that was queued with it; returns the exit status. */
async function finish(session: Session, id: number): Promise<number> {
  const { out } = session
  const run = await followRun(session, id)
  out.result(run, runLine(out, run))
  if (run.state !== 'done') return STOPPED
  const job = await atlasJobOf(session, id)
  // A resumed run may have an older atlas, of its checkpoint.
  return job && job.id > (run.jobId ?? 0) ? followAtlas(session, job.id) : 0
}

/** Waits for an atlas job and prints its autoencoder; returns the exit status. */
async function followAtlas(session: Session, jobId: number): Promise<number> {
  const { client, out } = session
  const job = await followJob(session, jobId)
  const sae = (await client.call('saes.list', {})).find(({ id }) => id === job.saeId)
  if (job.state !== 'done' || !sae) return STOPPED
  out.result(sae, atlasLine(out, sae))
  return 0
}

export function addRunCommands(program: Command, run: RunCommand): void {
  const training = program
    .command('train')
    .description('train a sparse autoencoder and build its feature atlas')
    .option('--model <id or name>', 'the newest unless given')
    .option('--dataset <id or name>', 'the newest unless given')
    .option('--name <name>', 'what to call the run')
    .option('--activations <id or name>', 'a set of activations on disk to train on; runs the model unless given')
    .option('--hook <name>', 'hook point, for instance blocks.2.hook_resid_post')
    .option('--d-sae <features>', 'width of the dictionary', toNumber)
    .option('--l1 <lambda>', 'standard, gated: weight of the L1 term', toNumber)
    .option('--lr <rate>', 'learning rate', toNumber)
    .option('--batch-tokens <tokens>', 'tokens per step', toNumber)
    .option('--tokens <tokens>', 'training tokens', toNumber)
    .option('--steps <steps>', 'training steps, instead of --tokens', toNumber)
    .option('--context <tokens>', 'tokens per context window', toNumber)
    .option('--buffer-tokens <tokens>', 'tokens in the shuffle buffer', toNumber)
    .option('--seed <seed>', 'seed of everything random', toNumber)
    .option('--no-atlas', 'leave the feature atlas out')
    .option('--forecast', 'measure for two seconds what the run would take, and start nothing')
    .action((options: TrainOptions) => {
      const problem = unusedOption(options)
      if (problem !== null) training.error(`error: ${problem}`)
      return run((session) => train(session, options))
    })
  addSettingOptions(training)
  program
    .command('atlas')
    .description('build the feature atlas of an autoencoder')
    .option('--sae <id or name>', 'the newest unless given')
    .option('--dataset <id or name>', 'the newest unless given')
    .action((options: { sae?: string; dataset?: string }) =>
      run(async (session) => {
        const sae = await findSae(session, options.sae)
        const dataset = await findDataset(session, options.dataset)
        const job = await session.client.call('atlas.start', { saeId: sae.id, datasetId: dataset.id })
        return followAtlas(session, job.id)
      }),
    )
  const runs = program.command('runs').description('training runs of the workspace')
  runs
    .command('list')
    .description('list the runs, newest first')
    .action(() =>
      run(async ({ client, out }) => out.list(await client.call('runs.list', {}), (one) => runLine(out, one))),
    )
  runs
    .command('resume')
    .description('go on with a run that was stopped, cut off or failed, from its last checkpoint')
    .argument('<id>', 'id of the run', toNumber)
    .action((id: number) => run((session) => resume(session, id)))
}
