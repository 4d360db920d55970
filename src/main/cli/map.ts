/** `map`: makes the map of an autoencoder's features and says into which clusters they fall. */
import type { Command } from 'commander'
import { clusterSizes } from '../../shared/domain'
import { findSae } from './find'
import { followJob } from './follow'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import type { Session } from './session'

/** Makes the map, waits and prints; returns the exit status. */
async function makeMap(session: Session, wanted: string | undefined): Promise<number> {
  const { client, out } = session
  const { id: saeId, name } = await findSae(session, wanted)
  const { id } = await client.call('map.start', { saeId })
  const job = await followJob(session, id)
  const map = await client.call('map.get', { saeId })
  if (job.state !== 'done' || !map) return STOPPED
  const sizes = clusterSizes(map.clusters)
  const counts = { features: map.features.length, clusters: sizes.length, sizes: sizes.join(', ') }
  const result = { saeId, ...map.parameters, createdAt: map.createdAt, ...counts, sizes }
  out.result(result, out.say('mapDone', { id: saeId, name, ...map.parameters, ...counts }))
  return 0
}

export function addMapCommand(program: Command, run: RunCommand): void {
  program
    .command('map [sae]')
    .description('lay the features of an autoencoder (id or name, the newest unless given) out in the plane')
    .action((sae: string | undefined) => run((session) => makeMap(session, sae)))
}
