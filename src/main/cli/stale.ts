/** Says on stderr which files changed since the figures of an autoencoder were made of them; once in a command. */
import type { Session } from './session'

const WHAT = { model: 'staleModel', sae: 'staleSae', dataset: 'staleDataset' } as const

const told = new WeakMap<object, Set<number>>()

export async function noteChanges({ client, out }: Session, saeId: number): Promise<void> {
  const seen = told.get(client) ?? new Set()
  if (seen.has(saeId)) return
  told.set(client, seen.add(saeId))
  for (const { kind, name, path } of await client.call('atlas.changed', { saeId })) {
    out.note(out.say('staleFile', { what: out.say(WHAT[kind]), name, path }))
  }
}
