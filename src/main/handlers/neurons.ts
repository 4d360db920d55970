/** Answers about features against neurons. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { neurons } from '../../shared/contract/neurons'
import type { HandlersOf } from '../../shared/wire'
import type { Services } from './services'

export const neuronHandlers = ({ store, queue }: Services) =>
  ({
    'neurons.get': async ({ saeId, limit }) => {
      store.saes.get(saeId)
      const summary = store.neurons.summary(saeId)
      return summary && { summary, rows: store.neurons.strongest(saeId, limit) }
    },
    'neurons.feature': async ({ saeId, featureIndex }) => {
      store.saes.get(saeId)
      return { summary: store.neurons.summary(saeId), best: store.neurons.ofFeature(saeId, featureIndex) }
    },
    'neurons.start': async ({ saeId, datasetId, ...settings }) => queue.startNeurons({ saeId, datasetId }, settings),
  }) satisfies HandlersOf<typeof neurons>
