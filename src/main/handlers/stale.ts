/** Answers whether the files that an atlas rests on are still those that it was made of. */
import { stale } from '../../shared/contract/stale'
import type { HandlersOf } from '../../shared/wire'
import { changedFiles } from './changed-files'
import type { Services } from './services'

export const staleHandlers = (services: Services) =>
  ({
    'atlas.changed': async ({ saeId }, signal) => changedFiles(services, services.store.saes.get(saeId), signal),
  }) satisfies HandlersOf<typeof stale>
