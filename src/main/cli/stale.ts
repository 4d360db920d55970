/** Says on stderr which files changed since the figures of an autoencoder were made of them. */
import type { Session } from './session'

const WHAT = { model: 'staleModel', sae: 'staleSae', dataset: 'staleDataset' } as const

export async function noteChanges({ client, out }: Pick<Session, 'client' | 'out'>, saeId: number): Promise<void> {
  for (const { kind, name, path } of await client.call('atlas.changed', { saeId })) {
    out.note(out.say('staleFile', { what: out.say(WHAT[kind]), name, path }))
  }
}
