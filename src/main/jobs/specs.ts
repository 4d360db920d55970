/** Turns a row of the queue into the specification a worker gets: plain data with absolute paths. */
import { join } from 'node:path'
import { AppError } from '../../shared/errors'
import type { QueuedJob } from '../store/jobs'
import type { Store } from '../store/store'
import type { WorkspacePaths } from '../workspace/workspace'
import type { JobSpec } from './messages'

const TOP_CONTEXTS = 20

export type SpecSource = { store: Store; paths: WorkspacePaths; checkpointMinutes: number }

/** The file an atlas job writes. */
export const atlasFile = (paths: WorkspacePaths, saeId: number): string => join(paths.sae(saeId), 'atlas.safetensors')

/** @throws AppError `not-found` when what the job needs was removed meanwhile */
export function specOf({ job, datasetId }: QueuedJob, { store, paths, checkpointMinutes }: SpecSource): JobSpec {
  if (job.kind === 'train') {
    if (job.runId === null) throw new AppError('not-found', { what: 'run', id: job.title })
    const { name, config } = store.runs.get(job.runId)
    const model = store.models.get(config.modelId)
    const dataset = store.datasets.get(config.datasetId)
    return { kind: 'train', name, config, model, dataset, folder: paths.run(job.runId), checkpointMinutes }
  }
  if (job.saeId === null || datasetId === null) throw new AppError('not-found', { what: 'SAE', id: job.title })
  const sae = store.saes.get(job.saeId)
  return {
    kind: 'atlas',
    model: store.models.get(sae.modelId),
    dataset: store.datasets.get(datasetId),
    sae: { path: sae.path, hookName: sae.hookName, contextSize: sae.contextSize },
    file: atlasFile(paths, sae.id),
    topContexts: TOP_CONTEXTS,
    seed: sae.seed ?? 0,
  }
}
