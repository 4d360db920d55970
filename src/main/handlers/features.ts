/** Answers about features, labels and tags. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { features } from '../../shared/contract/features'
import type { HandlersOf } from '../../shared/wire'
import { checkFeatures, piecesOf, type Services } from './services'

export const featureHandlers = (services: Services) => {
  const { store } = services
  return {
    'features.list': async (query) => store.features.list(query, await piecesOf(services, store.saes.get(query.saeId))),
    'features.get': async ({ saeId, featureIndex }) =>
      store.features.get(saeId, featureIndex, await piecesOf(services, store.saes.get(saeId))),
    'features.label': async ({ saeId, featureIndex, text, author }) => {
      checkFeatures(store.saes.get(saeId), [featureIndex])
      return store.labels.choose(saeId, featureIndex, text, author)
    },
    'features.tag': async ({ saeId, featureIndexes, name }) => {
      checkFeatures(store.saes.get(saeId), featureIndexes)
      return store.tags.put(saeId, featureIndexes, name)
    },
    'features.untag': async ({ saeId, featureIndex, tagId }) => {
      checkFeatures(store.saes.get(saeId), [featureIndex])
      store.tags.take(saeId, featureIndex, tagId)
      return null
    },
    'tags.list': async ({ saeId }) => {
      store.saes.get(saeId)
      return store.tags.list(saeId)
    },
  } satisfies HandlersOf<typeof features>
}
