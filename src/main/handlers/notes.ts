/** Answers about notes, lists and saved views. */
/* eslint-disable @typescript-eslint/require-await -- async turns what the store throws into a rejection */
import { notes } from '../../shared/contract/notes'
import type { HandlersOf } from '../../shared/wire'
import { checkFeatures, type Services } from './services'

export const noteHandlers = ({ store }: Services) =>
  ({
    'notes.add': async ({ saeId, featureIndex, ...note }) => {
      checkFeatures(store.saes.get(saeId), [featureIndex])
      return store.notes.add(saeId, featureIndex, note)
    },
    'notes.remove': async ({ noteId }) => {
      store.notes.remove(noteId)
      return null
    },
    'lists.all': async ({ saeId }) => {
      store.saes.get(saeId)
      return store.lists.all(saeId)
    },
    'lists.put': async ({ saeId, featureIndexes, name }) => {
      checkFeatures(store.saes.get(saeId), featureIndexes)
      return store.lists.put(saeId, featureIndexes, name)
    },
    'lists.take': async ({ saeId, featureIndexes, listId }) => {
      checkFeatures(store.saes.get(saeId), featureIndexes)
      store.lists.take(listId, saeId, featureIndexes)
      return null
    },
    'lists.remove': async ({ listId }) => {
      store.lists.remove(listId)
      return null
    },
    'views.list': async () => store.savedViews.list(),
    'views.save': async ({ name, query }) => store.savedViews.save(name, query),
    'views.remove': async ({ viewId }) => store.savedViews.remove(viewId),
  }) satisfies HandlersOf<typeof notes>
