/** Answers about models and datasets. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { basename, extname, resolve } from 'node:path'
import { library } from '../../shared/contract/library'
import type { Dataset, Model } from '../../shared/domain'
import type { HandlersOf } from '../../shared/wire'
import type { Services } from './services'

/** The first name that is not empty. */
const firstOf = (...names: (string | undefined)[]): string => names.find((name) => name) ?? ''

/** Checks a model folder and takes it in under the first name that is not empty. */
export async function addModel(
  { store, warm, paths }: Services,
  { path, name }: { path: string; name?: string | undefined },
  signal: AbortSignal,
): Promise<Model> {
  const folder = resolve(path)
  const info = await warm.ask('inspectModel', { path: folder, piecesFolder: paths.pieces }, signal)
  return store.models.add({ ...info, path: folder, name: firstOf(name, basename(folder), folder), source: null })
}

type NewText = { path: string; name?: string | undefined; textField: string; deduplicate: boolean }

/** Reads a text through and takes it in under the first name that is not empty. */
export async function addDataset(
  { store, warm }: Services,
  { path, name, textField, deduplicate }: NewText,
  signal: AbortSignal,
): Promise<Dataset> {
  const file = resolve(path)
  const info = await warm.ask('inspectDataset', { path: file, textField, deduplicate }, signal)
  return store.datasets.add({
    ...info,
    path: file,
    name: firstOf(name, basename(file, extname(file)), file),
    source: null,
  })
}

export const libraryHandlers = (services: Services) => {
  const { store, warm } = services
  return {
    'models.list': async () => store.models.list(),
    'models.add': (given, signal) => addModel(services, given, signal),
    'models.remove': async ({ modelId }) => {
      store.models.remove(modelId)
      return null
    },
    'datasets.list': async () => store.datasets.list(),
    'datasets.add': (given, signal) => addDataset(services, given, signal),
    'datasets.remove': async ({ datasetId }) => {
      store.datasets.remove(datasetId)
      return null
    },
    'datasets.preview': async ({ datasetId, first, count }, signal) =>
      warm.ask('previewDocuments', { dataset: store.datasets.get(datasetId), first, count }, signal),
    'datasets.countTokens': async ({ datasetId, modelId }, signal) => {
      const [dataset, model] = [store.datasets.get(datasetId), store.models.get(modelId)]
      const { documents } = dataset
      const counted = await warm.ask('countTokens', { dataset, documents, modelPath: model.path }, signal)
      store.datasets.setTokenCount(datasetId, { modelId, ...counted })
      return { modelId, ...counted }
    },
  } satisfies HandlersOf<typeof library>
}
