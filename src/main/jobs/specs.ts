/** Turns a row of the queue into the specification a worker gets: plain data with absolute paths. */
import { join } from 'node:path'
import { NeuronSettings, type TrainConfig } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { tokensFileName } from '../files/corpus-tokens'
import type { QueuedJob } from '../store/jobs'
import type { Store } from '../store/store'
import type { WorkspacePaths } from '../workspace/workspace'
import type { JobSpec, TrainSpec } from './messages'

export const TOP_CONTEXTS = 20
export const INTERVAL_CONTEXTS = 10

export type SpecSource = { store: Store; paths: WorkspacePaths; checkpointMinutes: number }

/** The file an atlas job writes. */
export const atlasFile = (paths: WorkspacePaths, saeId: number): string => join(paths.sae(saeId), 'atlas.safetensors')

/** The set a training reads, when its config names one. */
function activationsOf(
  { activationsId }: TrainConfig,
  { store, paths }: Pick<SpecSource, 'store' | 'paths'>,
): Pick<TrainSpec, 'activations'> {
  if (activationsId === null) return {}
  const { name } = store.activations.get(activationsId)
  return { activations: { name, folder: paths.activations(activationsId) } }
}

/** @throws AppError `not-found` when what the job needs was removed meanwhile */
export function specOf(
  { job, datasetId, activationsId, settings }: QueuedJob,
  { store, paths, checkpointMinutes }: SpecSource,
): JobSpec {
  if (job.kind === 'train') {
    if (job.runId === null) throw new AppError('not-found', { what: 'run', id: job.title })
    const { name, config } = store.runs.get(job.runId)
    const model = store.models.get(config.modelId)
    const dataset = store.datasets.get(config.datasetId)
    const folder = paths.run(job.runId)
    const resume = store.jobs.isResumed(job)
    const activations = activationsOf(config, { store, paths })
    return { kind: 'train', name, config, model, dataset, folder, checkpointMinutes, resume, ...activations }
  }
  if (job.kind === 'collect') {
    if (activationsId === null) throw new AppError('not-found', { what: 'activations', id: job.title })
    const { modelId, datasetId: ofText, ...set } = store.activations.get(activationsId)
    const [model, dataset] = [store.models.get(modelId), store.datasets.get(ofText)]
    const { hookNames, contextSize, tokens, seed } = set
    const folder = paths.activations(activationsId)
    return { kind: 'collect', model, dataset, hookNames, contextSize, tokens, seed, folder }
  }
  if (job.kind === 'map') {
    if (job.saeId === null) throw new AppError('not-found', { what: 'SAE', id: job.title })
    const { id, path, seed } = store.saes.get(job.saeId)
    const deadFeatures = store.features.indexes(id, 'silent')
    return { kind: 'map', sae: { path }, deadFeatures, seed: seed ?? 0, file: join(paths.sae(id), 'map.safetensors') }
  }
  if (job.saeId === null || datasetId === null) throw new AppError('not-found', { what: 'SAE', id: job.title })
  const sae = store.saes.get(job.saeId)
  const shared = {
    model: store.models.get(sae.modelId),
    dataset: store.datasets.get(datasetId),
    sae: { path: sae.path, hookName: sae.hookName, contextSize: sae.contextSize },
    seed: sae.seed ?? 0,
  }
  if (job.kind === 'neurons') {
    const eligible = store.neurons.eligible(sae.id)
    return { kind: 'neurons', ...shared, eligible, settings: NeuronSettings.parse(settings ?? {}) }
  }
  if (job.kind === 'evaluate') return { kind: 'evaluate', ...shared }
  const tokensFile = join(paths.corpora, tokensFileName(shared))
  const contexts = { topContexts: TOP_CONTEXTS, intervalContexts: INTERVAL_CONTEXTS }
  return { kind: 'atlas', ...shared, file: atlasFile(paths, sae.id), tokensFile, ...contexts }
}
