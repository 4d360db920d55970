/** The map of the features of an autoencoder. */
import { z } from 'zod'
import { FeatureMap, Id, Job } from '../domain'
import { call } from '../wire'

export const map = {
  /** Null until one was made. */
  'map.get': call(z.object({ saeId: Id }), FeatureMap.nullable()),
  /** Queues the making of a map, which replaces the one that is there. The autoencoder needs an atlas. */
  'map.start': call(z.object({ saeId: Id }), Job),
}
