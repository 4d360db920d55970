/** `demo`: the whole line once, from a model folder and a text to a catalog, with measured figures at the end. */
import type { Command } from 'commander'
import { AppError } from '../../shared/errors'
import { followAtlasOf, followRun, saeLines } from './follow'
import { datasetLine, modelLine } from './library'
import { createOutput } from './output'
import { untilInterrupted, type Serve } from './serve'
import { action, fromHere, languageOf, type GlobalOptions, type OpenClient, type Session } from './session'
import { trainConfig } from './train'
import { megabytes, wordsIn } from './words'

type DemoOptions = { model?: string; dataset?: string }

/** Adds model and text, trains with the preset, builds the atlas, exports: what the last line reports. */
async function runDemo(session: Session, options: Required<DemoOptions>) {
  const { client, out, words, workspace } = session
  const startedAt = Date.now()
  const model = await client.call('models.add', { path: fromHere(options.model) })
  out.note(modelLine(words, model))
  const dataset = await client.call('datasets.add', { path: fromHere(options.dataset) })
  out.note(datasetLine(words, dataset))
  const config = await trainConfig(session, { model: String(model.id), dataset: String(dataset.id) })
  const started = await client.call('runs.start', { name: `demo ${model.name}`, config, atlas: true })
  const run = await followRun(session, started.id)
  const sae = await followAtlasOf(session, run.saeId ?? 0)
  for (const line of saeLines(session, sae)) out.note(line)
  const catalog = await client.call('catalog.export', { saeId: sae.id, format: 'jsonl', which: 'alive' })
  out.note(words('exported', { features: catalog.features, size: megabytes(catalog.bytes), path: catalog.path }))
  const { summary, atlas } = sae
  if (!summary || !atlas) throw new AppError('atlas-missing', { id: sae.id })
  return {
    explainedVariance: summary.explainedVariance,
    l0: summary.l0,
    liveFeatures: atlas.liveFeatures,
    catalog: catalog.path,
    workspace,
    seconds: Math.round((Date.now() - startedAt) / 100) / 10,
    /** The two figures above are measured on documents the training never saw. */
    heldOutTokens: summary.heldOutTokens,
    dSae: sae.dSae,
    backend: run.backend?.name ?? null,
    device: run.backend?.device ?? null,
    tokensPerSecond: run.tokensPerSecond,
    saeSha256: sae.sha256,
    serve: `npm run -s monoscope -- --workspace ${workspace} serve`,
  }
}

export function addDemoCommand(program: Command, { open, serve }: { open: OpenClient; serve: Serve }): void {
  program
    .command('demo')
    .description('train, read and export a first autoencoder, then show it')
    .option('--model <folder>', 'folder of a model')
    .option('--dataset <path>', 'text or JSONL file')
    .action(async (options: DemoOptions, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>()
      const words = wordsIn(languageOf(global))
      const { model, dataset } = options
      if (model === undefined || dataset === undefined) {
        createOutput(global.json === true, languageOf(global)).note(words('demoNeedsModel'))
        process.exitCode = 2
        return
      }
      let workspace: string | undefined
      const body = async (session: Session) => {
        const result = await runDemo(session, { model, dataset })
        session.out.note(words('lookAt', { workspace: session.workspace }))
        session.out.result(
          result,
          words('demoDone', {
            ev: result.explainedVariance.toFixed(3),
            l0: result.l0.toFixed(2),
            live: result.liveFeatures,
            seconds: result.seconds,
            backend: result.device ?? '',
          }),
        )
        workspace = session.workspace
      }
      await action(open, body)(options, command)
      // A person at a terminal wants to look at once; a script wants the exit code.
      if (workspace === undefined || global.json || !process.stdout.isTTY) return
      const served = await serve(workspace, 0)
      process.stdout.write(`${words('serving', { address: served.address })}\n`)
      await untilInterrupted()
      await served.close()
    })
}
