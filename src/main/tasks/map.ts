/** The map job: lays the features of an autoencoder out in the plane. Needs its weights alone, neither model nor text. */
import { makeFeatureMap } from '../engine/measure/feature-map'
import { writeMap } from '../files/map-file'
import { readSaelens } from '../files/saelens'
import type { MapSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { giveWay } from './channel'

/** Neighbours, distance and spread as in the "Towards Monosemanticity" atlas; resolution 1 is plain modularity. */
const PARAMETERS = { neighbours: 15, minDist: 0.05, spread: 1, resolution: 1 }

/**
 * @returns false when it was cancelled; no map is written then
 * @throws AppError of SAE or disk; map-too-few
 */
export async function runMap({ sae: { path }, deadFeatures, seed, file }: MapSpec, channel: Channel): Promise<boolean> {
  const sae = await readSaelens(path)
  const map = await makeFeatureMap({
    ...{ sae, deadFeatures, parameters: { ...PARAMETERS, seed } },
    onStep: async (done, total) => {
      channel.send({ type: 'progress', done, total, tokensPerSecond: null })
      await giveWay()
      return !channel.isCancelled()
    },
  })
  if (!map) return false
  await writeMap(file, map)
  channel.send({ type: 'map', file })
  return true
}
