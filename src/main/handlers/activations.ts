/** Answers about sets of activations on disk. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { statfs } from 'node:fs/promises'
import { activations, type ActivationQuote } from '../../shared/contract/activations'
import { AppError } from '../../shared/errors'
import { plannedTokens } from '../../shared/held-out'
import { listHooks } from '../../shared/hooks'
import type { HandlersOf } from '../../shared/wire'
import { rowBytes } from '../files/activation-shards'
import type { Services } from './services'

/** What these handlers use of the services. */
type Used = Pick<Services, 'store' | 'paths'> & {
  queue: Pick<Services['queue'], 'startCollecting' | 'removeActivations'>
  warm: Pick<Services['warm'], 'ask'>
}

type Wanted = { modelId: number; datasetId: number; hookNames: string[]; tokens: number; contextSize: number }

/** Tokens that the dataset has for the model, counted when they were not. */
async function availableTokens(
  { store, warm }: Pick<Used, 'store' | 'warm'>,
  { modelId, datasetId }: Pick<Wanted, 'modelId' | 'datasetId'>,
  signal: AbortSignal,
): Promise<number> {
  const [model, dataset] = [store.models.get(modelId), store.datasets.get(datasetId)]
  const known = dataset.tokenCounts.find((count) => count.modelId === modelId)
  if (known) return known.tokens
  const { documents } = dataset
  const counted = await warm.ask('countTokens', { dataset, documents, modelPath: model.path }, signal)
  store.datasets.setTokenCount(datasetId, { modelId, ...counted })
  return counted.tokens
}

/** In the order a pass reaches them, each once. @throws AppError hook-unknown, hook-absent */
function orderedHooks(
  { store }: Pick<Used, 'store'>,
  { modelId, hookNames }: Pick<Wanted, 'modelId' | 'hookNames'>,
): string[] {
  const { layers, absentHooks } = store.models.get(modelId)
  const unknown = hookNames.find((name) => !listHooks(layers).includes(name))
  if (unknown !== undefined) throw new AppError('hook-unknown', { hookName: unknown, lastLayer: layers - 1 })
  const all = listHooks(layers, absentHooks)
  const absent = hookNames.find((name) => !all.includes(name))
  if (absent !== undefined) throw new AppError('hook-absent', { hookName: absent })
  return all.filter((name) => hookNames.includes(name))
}

async function quote(services: Used, wanted: Wanted, signal: AbortSignal): Promise<ActivationQuote> {
  const hookNames = orderedHooks(services, wanted)
  const { dModel } = services.store.models.get(wanted.modelId)
  const { training, heldOut } = plannedTokens(wanted.tokens, await availableTokens(services, wanted, signal))
  const tokens = training + heldOut
  const disk = await statfs(services.paths.folder)
  return { tokens, bytes: tokens * rowBytes(dModel) * hookNames.length, freeBytes: disk.bavail * disk.bsize }
}

export const activationHandlers = (services: Used) =>
  ({
    'activations.list': async () => services.store.activations.list(),
    'activations.quote': (wanted, signal) => quote(services, wanted, signal),
    'activations.start': async ({ name, ...wanted }, signal) => {
      const { store, queue } = services
      const { bytes, freeBytes } = await quote(services, wanted, signal)
      if (bytes > freeBytes) throw new AppError('activations-no-room', { needed: bytes, free: freeBytes })
      const [model, dataset] = [store.models.get(wanted.modelId), store.datasets.get(wanted.datasetId)]
      const hookNames = orderedHooks(services, wanted)
      const called = name ?? `${model.name}, ${dataset.name}`
      return queue.startCollecting({ ...wanted, hookNames, name: called.slice(0, 200), dIn: model.dModel })
    },
    'activations.remove': async ({ activationsId }) => {
      await services.queue.removeActivations(activationsId)
      return null
    },
  }) satisfies HandlersOf<typeof activations>
