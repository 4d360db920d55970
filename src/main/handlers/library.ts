/** Answers about models and datasets. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { basename, extname, resolve } from 'node:path'
import { library } from '../../shared/contract/library'
import type { Dataset, Model } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import type { StartTokens, TextStart } from '../../shared/text-start'
import type { HandlersOf } from '../../shared/wire'
import type { Services } from './services'

/** The first name that is not empty. */
const firstOf = (...names: (string | undefined)[]): string => names.find((name) => name) ?? ''

/** @throws AppError model-without-bos */
function requireStart(path: string, start: TextStart | undefined, tokens: StartTokens | null): void {
  if (start === 'bos' && tokens?.bos == null) throw new AppError('model-without-bos', { path })
}

/** Chooses what stands before every text. @throws AppError not-found, model-without-bos; of the tokenizer */
async function setTextStart(
  { store, warm }: Services,
  { modelId, textStart }: { modelId: number; textStart: TextStart },
  signal: AbortSignal,
): Promise<Model> {
  const { path, vocabulary } = store.models.get(modelId)
  const tokens = await warm.ask('startTokens', { path, vocabulary }, signal)
  requireStart(path, textStart, tokens)
  return store.models.setTextStart(modelId, textStart, tokens)
}

/** Checks a model folder and takes it in under the first name that is not empty. */
export async function addModel(
  { store, warm, paths }: Services,
  { path, name, textStart }: { path: string; name?: string | undefined; textStart?: TextStart | undefined },
  signal: AbortSignal,
): Promise<Model> {
  const folder = resolve(path)
  const info = await warm.ask('inspectModel', { path: folder, piecesFolder: paths.pieces }, signal)
  requireStart(folder, textStart, info.startTokens)
  const named = firstOf(name, basename(folder), folder)
  return store.models.add({ ...info, path: folder, name: named, source: null, textStart })
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
    'models.setTextStart': (given, signal) => setTextStart(services, given, signal),
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
