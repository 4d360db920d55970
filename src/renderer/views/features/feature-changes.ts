/** What can be changed on the page of a feature; every change can be taken back. */
import type { Ref } from 'vue'
import type { FeatureDetail, FeatureList, Label, Note, Tag } from '../../../shared/domain'
import { client } from '../../app/client'
import { useText } from '../../app/i18n'
import { useUndo } from '../../app/undo.store'

export type Place = { saeId: number; featureIndex: number }
/** Runs a change and reads the feature again; answers whether it went through. */
export type Change = (work: (place: Place) => Promise<unknown>) => Promise<boolean>

type Page = {
  change: Change
  detail: Readonly<Ref<FeatureDetail | null>>
  /** Reads the feature again. */
  refresh: () => Promise<void>
  /** Reads the names of tags and lists again. */
  loadNames: (saeId: number) => Promise<void>
  /** Forgets the unsaved label of a feature. */
  drop: (place: Place) => unknown
}

type Undoable = (text: string, undo: () => Promise<unknown>) => void

/** Tells what was done, and takes it back through the same door when asked. */
function useUndoable(refresh: Page['refresh']): Undoable {
  const { did } = useUndo()
  return (text, undo) =>
    did({
      text,
      undo: async () => {
        await undo()
        await refresh()
      },
    })
}

export function featureChanges(page: Page) {
  const undoable = useUndoable(page.refresh)
  return { ...labelChanges(page, undoable), ...listChanges(page, undoable), ...noteChanges(page, undoable) }
}

function labelChanges({ change, detail, loadNames, drop }: Page, undoable: Undoable) {
  const { t } = useText()

  /** Makes a text the chosen label; an empty one removes the chosen label. The draft is kept when saving fails. */
  const saveLabel = (text: string, author = '') =>
    change(async (place) => {
      const before = detail.value?.labels.find((label) => label.chosen)
      await client.call('features.label', { ...place, text, author })
      drop(place)
      const old = { text: before?.text ?? '', author: before?.author ?? '' }
      undoable(t('features.undo.label'), () => client.call('features.label', { ...place, ...old }))
    })

  const scoreLabel = ({ id: labelId, score: before }: Label, score: number | null) =>
    change(async (place) => {
      await client.call('features.score', { ...place, labelId, score })
      undoable(t('features.undo.score'), () => client.call('features.score', { ...place, labelId, score: before }))
    })

  const addTag = (name: string) =>
    change(async ({ saeId, featureIndex }) => {
      const featureIndexes = [featureIndex]
      const { id: tagId, added } = await client.call('features.tag', { saeId, featureIndexes, name })
      await loadNames(saeId)
      if (added.length === 0) return
      undoable(t('features.undo.tag', { name }), () => client.call('features.untag', { saeId, featureIndexes, tagId }))
    })

  const removeTag = ({ id: tagId, name }: Tag) =>
    change(async ({ saeId, featureIndex }) => {
      const featureIndexes = [featureIndex]
      await client.call('features.untag', { saeId, featureIndexes, tagId })
      undoable(t('features.undo.untag', { name }), () => client.call('features.tag', { saeId, featureIndexes, name }))
    })

  return { saveLabel, scoreLabel, addTag, removeTag }
}

function listChanges({ change, loadNames }: Page, undoable: Undoable) {
  const { t } = useText()

  const addToList = (name: string) =>
    change(async ({ saeId, featureIndex }) => {
      const featureIndexes = [featureIndex]
      const { id: listId, added } = await client.call('lists.put', { saeId, featureIndexes, name })
      await loadNames(saeId)
      if (added.length === 0) return
      undoable(t('features.undo.list', { name }), () => client.call('lists.take', { saeId, featureIndexes, listId }))
    })

  const removeFromList = ({ id: listId, name }: FeatureList) =>
    change(async ({ saeId, featureIndex }) => {
      const featureIndexes = [featureIndex]
      await client.call('lists.take', { saeId, featureIndexes, listId })
      undoable(t('features.undo.unlist', { name }), () => client.call('lists.put', { saeId, featureIndexes, name }))
    })

  return { addToList, removeFromList }
}

function noteChanges({ change }: Page, undoable: Undoable) {
  const { t } = useText()

  const addNote = (text: string) =>
    change(async (place) => {
      const [note] = await client.call('notes.add', { ...place, text })
      if (note) undoable(t('features.undo.note'), () => client.call('notes.remove', { noteId: note.id }))
    })

  const removeNote = ({ id: noteId, text, author }: Note) =>
    change(async (place) => {
      await client.call('notes.remove', { noteId })
      undoable(t('features.undo.unnote'), () => client.call('notes.add', { ...place, text, author }))
    })

  return { addNote, removeNote }
}
