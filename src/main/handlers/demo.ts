/** Answers about the bundled demo. */
import { basename } from 'node:path'
import type { demo, DemoStarted } from '../../shared/contract/demo'
import type { Model, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { demoConfig } from '../../shared/presets'
import type { HandlersOf } from '../../shared/wire'
import { withResume } from '../jobs/checkpoints'
import { copyDemo } from '../workspace/demo-files'
import { readDemoLabels } from '../workspace/demo-labels'
import { addDataset, addModel } from './library'
import type { Services } from './services'

const MODEL_NAME = 'monoscope-demo'
const SAMPLE_NAME = 'demo text'
const SHORT_NAME = 'demo text, short'
const AS_TEXT = { textField: 'text', deduplicate: false }

/** The autoencoder of a folder; one with the same weights for the same model is it already. */
async function addSae({ store, warm }: Services, path: string, model: Model, signal: AbortSignal): Promise<Sae> {
  const { name, quality, ...info } = await warm.ask('inspectSae', { path, model }, signal)
  const known = store.saes.list().find((sae) => sae.sha256 === info.sha256 && sae.modelId === model.id)
  if (known) return known
  const sae = store.saes.put({
    ...{ ...info, path, name: name ?? basename(path), modelId: model.id },
    ...{ runId: null, partial: false, backend: null },
  })
  if (quality) store.saes.setQuality(sae.id, quality)
  return store.saes.get(sae.id)
}

/** Gives features the labels that come with the demo, the one in `language` chosen, unless people have given them any. */
async function addLabels({ store }: Services, { demoFolder, saes, language }: Labelling): Promise<void> {
  const { sae: sha256, author, labels } = await readDemoLabels(demoFolder)
  const sae = saes.find((one) => one.sha256 === sha256)
  if (!sae) return
  const other = language === 'ko' ? 'en' : 'ko'
  store.together(() => {
    for (const { feature, ...texts } of labels) {
      if (store.labels.of(sae.id, feature).length > 0) continue
      for (const one of [other, language] as const) store.labels.choose(sae.id, feature, texts[one], author)
    }
  })
}

type Labelling = { demoFolder: string; saes: readonly Sae[]; language: 'en' | 'ko' }

async function start(services: Services, language: 'en' | 'ko', signal: AbortSignal): Promise<DemoStarted> {
  const { store, queue, paths, demoFolder, changes } = services
  if (demoFolder === null) throw new AppError('demo-missing', { path: '' })
  const files = await copyDemo(demoFolder, paths.demos)
  const model = await addModel(services, { path: files.model, name: MODEL_NAME }, signal)
  const dataset = await addDataset(services, { ...AS_TEXT, path: files.short, name: SHORT_NAME }, signal)
  const sample = await addDataset(services, { ...AS_TEXT, path: files.sample, name: SAMPLE_NAME }, signal)
  const saes: Sae[] = []
  for (const path of files.saes) saes.push(await addSae(services, path, model, signal))
  const [first] = saes
  if (!first) throw new AppError('demo-missing', { path: demoFolder })
  await addLabels(services, { demoFolder, saes, language })
  // Its atlas lies beside its weights, so there is something to look at while the training runs.
  const atlasJob = first.atlas ? null : queue.startMeasuring('atlas', { saeId: first.id, datasetId: dataset.id })
  const run = queue.startTraining(`${MODEL_NAME} live`, demoConfig({ model, dataset }), true)
  changes.notify()
  return { model, dataset, sample, saes, run: withResume(store.runs.get(run.id), paths.run(run.id)), atlasJob }
}

export const demoHandlers = (services: Services) =>
  ({ 'demo.start': ({ language }, signal) => start(services, language, signal) }) satisfies HandlersOf<typeof demo>
