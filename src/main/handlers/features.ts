/** Answers about features, labels and tags. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { features } from '../../shared/contract/features'
import { stretchSpans } from '../../shared/token-spans'
import type { HandlersOf } from '../../shared/wire'
import { atlasText, checkFeatures, piecesOf, type Services } from './services'

export const featureHandlers = (services: Services) => {
  const { store } = services
  return {
    'features.list': async (query) => store.features.list(query, await piecesOf(services, store.saes.get(query.saeId))),
    'features.get': async ({ saeId, featureIndex }) =>
      store.features.get(saeId, featureIndex, await atlasText(services, store.saes.get(saeId))),
    'features.named': async ({ saeId, featureIndexes }) => {
      store.saes.get(saeId)
      const found = store.features.figures(saeId, featureIndexes)
      return found.map(({ featureIndex, label, density, topToken }) => ({ featureIndex, label, density, topToken }))
    },
    'features.count': async (query) => {
      store.saes.get(query.saeId)
      return store.features.count(query)
    },
    'features.passage': async ({ saeId, documentIndex, start, length }) => {
      const text = await atlasText(services, store.saes.get(saeId))
      return { spans: stretchSpans(text, { document: documentIndex, start, length }, null).spans }
    },
    'features.label': async ({ saeId, featureIndex, text, author }) => {
      checkFeatures(store.saes.get(saeId), [featureIndex])
      return store.labels.choose(saeId, featureIndex, text, author)
    },
    'features.score': async ({ saeId, featureIndex, labelId, score }) => {
      checkFeatures(store.saes.get(saeId), [featureIndex])
      return store.labels.score(saeId, featureIndex, { labelId, score })
    },
    'features.tag': async ({ saeId, featureIndexes, name }) => {
      checkFeatures(store.saes.get(saeId), featureIndexes)
      return store.tags.put(saeId, featureIndexes, name)
    },
    'features.untag': async ({ saeId, featureIndexes, tagId }) => {
      checkFeatures(store.saes.get(saeId), featureIndexes)
      store.tags.take(saeId, featureIndexes, tagId)
      return null
    },
    'tags.features': async ({ saeId, tagId }) => {
      store.saes.get(saeId)
      return { featureIndexes: store.tags.features(saeId, tagId) }
    },
    'tags.change': async ({ tagId, ...facts }) => store.tags.change(tagId, facts),
    'tags.list': async ({ saeId }) => {
      store.saes.get(saeId)
      return store.tags.list(saeId)
    },
  } satisfies HandlersOf<typeof features>
}
