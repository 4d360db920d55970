/** Answers about features against neurons. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { neurons } from '../../shared/contract/neurons'
import type { HandlersOf } from '../../shared/wire'
import { requireUnchanged } from './changed-files'
import type { Services } from './services'

export const neuronHandlers = (services: Services) => {
  const { store, queue } = services
  return {
    'neurons.get': async ({ saeId, limit }) => {
      store.saes.get(saeId)
      const summary = store.neurons.summary(saeId)
      return summary && { summary, rows: store.neurons.strongest(saeId, limit) }
    },
    'neurons.feature': async ({ saeId, featureIndex }) => {
      store.saes.get(saeId)
      return { summary: store.neurons.summary(saeId), best: store.neurons.ofFeature(saeId, featureIndex) }
    },
    'neurons.start': async ({ saeId, datasetId, ...settings }, signal) => {
      await requireUnchanged(services, { sae: store.saes.get(saeId), dataset: store.datasets.get(datasetId) }, signal)
      return queue.startNeurons({ saeId, datasetId }, settings)
    },
  } satisfies HandlersOf<typeof neurons>
}
