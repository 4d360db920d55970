/** Answers about the hub and its downloads. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the hub throws into a rejection */
import { hub } from '../../shared/contract/hub'
import type { HandlersOf } from '../../shared/wire'
import type { Finish } from '../hub/downloads'
import type { Services } from './services'

/** What has arrived is looked at by the worker before it enters the library. Rows of a dataset are written as `text`. */
const finishWith = ({ store, warm, paths }: Services): Finish => ({
  model: async ({ path, name, source }, signal) => {
    const info = await warm.ask('inspectModel', { path, piecesFolder: paths.pieces }, signal)
    return store.models.add({ ...info, path, name, source }).id
  },
  dataset: async ({ path, name, source }, signal) => {
    const info = await warm.ask('inspectDataset', { path, textField: 'text', deduplicate: false }, signal)
    return store.datasets.add({ ...info, path, name, source }).id
  },
})

export const hubHandlers = (services: Services) => {
  const { hub: room } = services
  return {
    'hub.status': async () => room.status(),
    'hub.setOffline': async ({ offline }) => {
      room.setOffline(offline)
      return room.status()
    },
    'hub.setToken': async ({ token }) => {
      await room.setToken(token)
      return room.status()
    },
    'downloads.start': async (request) => room.downloads.start(request, finishWith(services)),
    'downloads.cancel': async ({ downloadId }) => {
      await room.downloads.cancel(downloadId)
      return null
    },
    'downloads.dismiss': async ({ downloadId }) => {
      await room.downloads.dismiss(downloadId)
      return null
    },
    'downloads.watch': (_, signal) => room.downloads.watch(signal),
  } satisfies HandlersOf<typeof hub>
}
