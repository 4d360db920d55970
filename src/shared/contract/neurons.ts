/** Features against neurons. */
import { z } from 'zod'
import { BestNeuron, Id, Job, NeuronMatches, NeuronSettings, NeuronSummary } from '../domain'
import { call } from '../wire'
import { feature } from './features'

export const neurons = {
  /** Null until they were measured. */
  'neurons.get': call(z.object({ saeId: Id, limit: z.int().min(0).max(1000).default(50) }), NeuronMatches.nullable()),
  /** The best neuron of one feature; `best` is null where the feature was not drawn, both where nothing was measured. */
  'neurons.feature': call(
    z.object(feature),
    z.object({ summary: NeuronSummary.nullable(), best: BestNeuron.nullable() }),
  ),
  /** Queues a measurement, which replaces the one that is there. The autoencoder needs an atlas and layers before it. */
  'neurons.start': call(z.object({ saeId: Id, datasetId: Id, ...NeuronSettings.shape }), Job),
}
