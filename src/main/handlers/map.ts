/** Answers about the map of features. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { map } from '../../shared/contract/map'
import type { HandlersOf } from '../../shared/wire'
import { requireUnchanged } from './changed-files'
import type { Services } from './services'

export const mapHandlers = (services: Services) => {
  const { store, queue } = services
  return {
    'map.get': async ({ saeId }) => {
      const { dSae } = store.saes.get(saeId)
      const found = store.maps.get(saeId)
      if (!found) return null
      const { densities } = store.features.columns(saeId, dSae)
      return { ...found, densities: Float32Array.from(found.features, (i) => densities[i] ?? 0) }
    },
    'map.start': async ({ saeId }, signal) => {
      await requireUnchanged(services, { sae: store.saes.get(saeId) }, signal)
      return queue.startMap(saeId)
    },
  } satisfies HandlersOf<typeof map>
}
