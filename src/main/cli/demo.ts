/** `demo`: the main job from end to end: a model and a text in, a catalog of features out; without options with the bundled ones. */
import type { Command } from 'commander'
import type { CatalogExport } from '../../shared/contract/catalog'
import type { Run, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { presetFor } from '../../shared/presets'
import { datasetLine } from './datasets'
import { atlasJobOf, followJob, followRun } from './follow'
import { modelLine } from './models'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import { serveUntilStopped } from './serve'
import { userPath, type Program, type Session } from './session'

export type DemoOptions = { model?: string; dataset?: string }

/** What was made, and the autoencoder to look at first. */
type Made = { run: Run; sae: Sae; catalog: CatalogExport; lookAt: Sae }

async function saeOf({ client }: Session, id: number): Promise<Sae> {
  const found = (await client.call('saes.list', {})).find((sae) => sae.id === id)
  if (!found) throw new AppError('not-found', { what: 'SAE', id })
  return found
}

/** Follows a run and the atlas after it, and exports; null when it was stopped. */
async function finishRun(session: Session, runId: number): Promise<Omit<Made, 'lookAt'> | null> {
  const run = await followRun(session, runId)
  const job = run.state === 'done' ? await atlasJobOf(session, runId) : null
  const ended = job && (await followJob(session, job.id))
  if (ended?.state !== 'done' || ended.saeId === null) return null
  const { saeId } = ended
  const catalog = await session.client.call(
    'catalog.export',
    { saeId, format: 'jsonl', which: 'alive' },
    session.signal,
  )
  return { run, catalog, sae: await saeOf(session, saeId) }
}

/** The demo on a model and a text of the user's own. */
async function ownDemo(session: Session, modelFolder: string, datasetFile: string): Promise<Made | null> {
  const { client, out, signal } = session
  const model = await client.call('models.add', { path: userPath(modelFolder) }, signal)
  out.note(modelLine(out, model))
  const dataset = await client.call('datasets.add', { path: userPath(datasetFile) }, signal)
  out.note(datasetLine(out, dataset))
  const { dModel, layers, contextSize } = model
  const sizes = { dModel, layers, contextSize, datasetBytes: dataset.bytes }
  const config = presetFor({ modelId: model.id, datasetId: dataset.id, ...sizes })
  const { id: runId } = await client.call('runs.start', { name: `${model.name} demo`, config, atlas: true })
  const made = await finishRun(session, runId)
  return made && { ...made, lookAt: made.sae }
}

/** The demo on what comes with the program; the bundled autoencoder gets its atlas too. */
async function bundledDemo(session: Session): Promise<Made | null> {
  const { client, out, signal } = session
  const { model, dataset, saes, run, atlasJob } = await client.call(
    'demo.start',
    { language: session.out.language },
    signal,
  )
  out.note(modelLine(out, model))
  out.note(datasetLine(out, dataset))
  const made = await finishRun(session, run.id)
  const ended = made && atlasJob && (await followJob(session, atlasJob.id))
  const [first] = saes
  if (!made || !first || (ended && ended.state !== 'done')) return null
  return { ...made, lookAt: await saeOf(session, first.id) }
}

async function demo(session: Session, program: Program, { model, dataset }: DemoOptions): Promise<number> {
  const { out, folder } = session
  const startedAt = performance.now()
  const made = await (model !== undefined && dataset !== undefined
    ? ownDemo(session, model, dataset)
    : bundledDemo(session))
  if (!made) return STOPPED
  const { run, catalog, sae, lookAt } = made
  const { summary, atlas } = sae
  if (!summary || !atlas) throw new AppError('atlas-missing', { id: sae.id })
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1))
  const command = `npm run -s monoscope -- serve --workspace ${JSON.stringify(folder)}`
  const { explainedVariance, l0, heldOutTokens } = summary
  const page = `features/${lookAt.id}`
  const result = {
    explainedVariance,
    l0,
    liveFeatures: atlas.liveFeatures,
    catalog: catalog.path,
    workspace: folder,
    seconds,
    backend: run.backend?.name ?? null,
    device: run.backend?.device ?? null,
    tokensPerSecond: run.tokensPerSecond,
    heldOutTokens,
    note: out.say('heldOut', { tokens: heldOutTokens }),
    serve: command,
    lookAt: { saeId: lookAt.id, name: lookAt.name, page: `#/${page}` },
  }
  const figures = {
    ev: explainedVariance.toFixed(3),
    l0: l0.toFixed(2),
    tokens: heldOutTokens,
    live: atlas.liveFeatures,
  }
  const line = out.say('demoDone', { ...figures, seconds, backend: run.backend?.name ?? '-', catalog: catalog.path })
  if (!out.isInteractive) out.note(out.say('lookAtIt', { command }))
  out.result(result, line)
  if (out.isInteractive) await serveUntilStopped(session, program, { page })
  return 0
}

export function addDemoCommand(command: Command, run: RunCommand, program: Program): void {
  command
    .command('demo')
    .description('train on a model and a text, build the atlas, export a catalog; on the bundled ones unless given')
    .option('--model <folder>', 'model folder; with --dataset')
    .option('--dataset <file>', 'text or JSONL file; with --model')
    .action((options: DemoOptions) =>
      (options.model === undefined) !== (options.dataset === undefined)
        ? run.refuse('halfDemo')
        : run.lasting((session) => demo(session, program, options)),
    )
}
