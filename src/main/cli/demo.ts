/** `demo`: the main job from end to end: a model and a text in, a catalog of features out. */
import type { Command } from 'commander'
import { presetFor } from '../../shared/presets'
import { AppError } from '../../shared/errors'
import { atlasJobOf, followJob, followRun } from './follow'
import { datasetLine } from './datasets'
import { modelLine } from './models'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import { serveUntilStopped } from './serve'
import { userPath, type Program, type Session } from './session'

export type DemoOptions = { model?: string; dataset?: string }

/** Adds model and text, trains with the preset, builds the atlas and exports; null when it was stopped. */
async function makeCatalog(session: Session, modelFolder: string, datasetFile: string) {
  const { client, out, signal } = session
  const model = await client.call('models.add', { path: userPath(modelFolder) }, signal)
  out.note(modelLine(out, model))
  const dataset = await client.call('datasets.add', { path: userPath(datasetFile) }, signal)
  out.note(datasetLine(out, dataset))
  const { dModel, layers, contextSize } = model
  const config = presetFor({
    modelId: model.id,
    datasetId: dataset.id,
    dModel,
    layers,
    contextSize,
    datasetBytes: dataset.bytes,
  })
  const { id: runId } = await client.call('runs.start', { name: `${model.name} demo`, config, atlas: true })
  const run = await followRun(session, runId)
  const job = run.state === 'done' ? await atlasJobOf(session, runId) : null
  const ended = job && (await followJob(session, job.id))
  if (ended?.state !== 'done' || ended.saeId === null) return null
  const catalog = await client.call('catalog.export', { saeId: ended.saeId, format: 'jsonl', which: 'alive' }, signal)
  const sae = (await client.call('saes.list', {})).find(({ id }) => id === ended.saeId)
  if (!sae?.summary || !sae.atlas) throw new AppError('atlas-missing', { id: ended.saeId })
  return { run, catalog, summary: sae.summary, atlas: sae.atlas }
}

async function demo(
  session: Session,
  program: Program,
  { model, dataset }: { model: string; dataset: string },
): Promise<number> {
  const { out, folder } = session
  const startedAt = performance.now()
  const made = await makeCatalog(session, model, dataset)
  if (!made) return STOPPED
  const { run, catalog, summary, atlas } = made
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1))
  const command = `npm run -s monoscope -- serve --workspace ${JSON.stringify(folder)}`
  const { explainedVariance, l0, heldOutTokens } = summary
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
  if (out.isInteractive) await serveUntilStopped(session, program)
  return 0
}

export function addDemoCommand(command: Command, run: RunCommand, program: Program): void {
  command
    .command('demo')
    .description('train on a model and a text, build the atlas, export a catalog')
    .option('--model <folder>', 'model folder')
    .option('--dataset <file>', 'text or JSONL file')
    .action(({ model, dataset }: DemoOptions) =>
      model === undefined || dataset === undefined
        ? run.refuse('noDemoModel')
        : run((session) => demo(session, program, { model, dataset })),
    )
}
