/** Answers about features in safety categories. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { safety } from '../../shared/contract/safety'
import type { HandlersOf } from '../../shared/wire'
import { checkFeatures, piecesOf, type Services } from './services'

export const safetyHandlers = (services: Services) => {
  const { store } = services
  return {
    'safety.counts': async ({ saeId }) => {
      store.saes.get(saeId)
      return store.safety.counts(saeId)
    },
    'safety.list': async ({ saeId, category }) => {
      const pieces = await piecesOf(services, store.saes.get(saeId))
      const flags = store.safety.list(saeId, category)
      if (flags.length === 0) return []
      const indexes = flags.map((flag) => flag.featureIndex)
      const rows = new Map(store.features.rows(saeId, indexes, pieces).map((row) => [row.featureIndex, row]))
      return flags.flatMap((flag) => {
        const feature = rows.get(flag.featureIndex)
        return feature ? [{ flag, feature }] : []
      })
    },
    'safety.assign': async (flag) => {
      checkFeatures(store.saes.get(flag.saeId), [flag.featureIndex])
      return store.safety.assign(flag)
    },
    'safety.remove': async ({ flagId }) => {
      store.safety.remove(flagId)
      return null
    },
  } satisfies HandlersOf<typeof safety>
}
