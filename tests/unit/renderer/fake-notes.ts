/** Notes, lists and saved views in memory, for renderer tests. */
import { notes as noteCalls } from '../../../src/shared/contract/notes'
import type { Note, SavedView } from '../../../src/shared/domain'
import type { HandlersOf } from '../../../src/shared/wire'

export class FakeNotes {
  notes = new Map<number, Note[]>()
  lists: { id: number; name: string; indexes: Set<number> }[] = []
  views: SavedView[] = []
  private nextId = 1

  handlers(): HandlersOf<typeof noteCalls> {
    return {
      'notes.add': ({ featureIndex, text, author }) => {
        const note = { id: this.nextId++, text, author, createdAt: '2026-11-22T10:00:00Z' }
        this.notes.set(featureIndex, [note, ...(this.notes.get(featureIndex) ?? [])])
        return Promise.resolve(this.notes.get(featureIndex)!)
      },
      'notes.remove': ({ noteId }) => {
        for (const [index, notes] of this.notes)
          this.notes.set(
            index,
            notes.filter(({ id }) => id !== noteId),
          )
        return Promise.resolve(null)
      },
      'lists.all': () =>
        Promise.resolve(this.lists.map(({ id, name, indexes }) => ({ id, name, count: indexes.size }))),
      'lists.put': ({ featureIndexes, name }) => {
        const list = this.lists.find((one) => one.name === name) ?? { id: this.nextId++, name, indexes: new Set() }
        if (!this.lists.includes(list)) this.lists.push(list)
        const added = featureIndexes.filter((index) => !list.indexes.has(index))
        for (const index of added) list.indexes.add(index)
        return Promise.resolve({ id: list.id, name, added })
      },
      'lists.take': ({ listId, featureIndexes }) => {
        for (const index of featureIndexes) this.lists.find(({ id }) => id === listId)?.indexes.delete(index)
        return Promise.resolve(null)
      },
      'lists.remove': ({ listId }) => {
        this.lists = this.lists.filter(({ id }) => id !== listId)
        return Promise.resolve(null)
      },
      'views.list': () => Promise.resolve(this.views),
      'views.save': ({ name, query }) => {
        this.views = [...this.views.filter((view) => view.name !== name), { id: this.nextId++, name, query }]
        return Promise.resolve(this.views)
      },
      'views.remove': ({ viewId }) => {
        this.views = this.views.filter(({ id }) => id !== viewId)
        return Promise.resolve(this.views)
      },
    }
  }
}
