/** The feature list: filter, order, cursor and selection over the pages fetched so far. Survives leaving the page and coming back. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef } from 'vue'
import {
  FeatureFilter,
  type CountedTag,
  type FeatureList,
  type FeatureSort,
  type TagFacts,
} from '../../../shared/domain'
import { client } from '../../app/client'
import { useText } from '../../app/i18n'
import { useUndo } from '../../app/undo.store'
import { useListPages } from './list-pages'
import { toQuery, type ListQuery } from './list-query'

export type CountedList = FeatureList & { count: number }
type Change = { filter?: Partial<FeatureFilter>; sort?: FeatureSort; descending?: boolean }
type List = ReturnType<typeof useListState>

const plainFilter = (): FeatureFilter => FeatureFilter.parse({})

/** What is asked for, and the rows that answer it. */
function useListState() {
  const saeId = ref<number | null>(null)
  // Shallow, so that the filter goes over the wire as a plain object.
  const filter = shallowRef<FeatureFilter>(plainFilter())
  const sort = ref<FeatureSort>('index')
  const descending = ref(false)
  /** Position of the cursor row in the list. */
  const cursor = ref(0)
  const read = (offset: number, limit: number) => {
    if (saeId.value === null) return null
    const order = { sort: sort.value, descending: descending.value }
    return client.call('features.list', { saeId: saeId.value, filter: filter.value, ...order, offset, limit })
  }
  const isFiltered = computed(() => JSON.stringify(filter.value) !== JSON.stringify(plainFilter()))
  const count = () =>
    saeId.value === null
      ? Promise.resolve(0)
      : client.call('features.count', { saeId: saeId.value, filter: filter.value })
  return { saeId, filter, sort, descending, cursor, isFiltered, read, ...useListPages(read, count) }
}

/** Changes of filter and order, and steps through the list. */
function listMoves(list: List) {
  async function ask(change: Change): Promise<void> {
    list.filter.value = { ...list.filter.value, ...change.filter }
    list.sort.value = change.sort ?? list.sort.value
    list.descending.value = change.descending ?? list.descending.value
    list.cursor.value = 0
    await list.reload()
  }

  /** Takes filter and order from an address without asking yet; the same ones leave the cursor where it is. */
  function set(query: ListQuery): void {
    const own = { filter: list.filter.value, sort: list.sort.value, descending: list.descending.value }
    if (JSON.stringify(toQuery(own)) === JSON.stringify(toQuery(query))) return
    list.filter.value = query.filter
    list.sort.value = query.sort
    list.descending.value = query.descending
    list.cursor.value = 0
  }

  const clearFilter = () => ask({ filter: plainFilter() })

  /** A click on a head: a new column starts with its useful end, the same column turns round. */
  const sortBy = (column: FeatureSort) => {
    const startsDescending = column !== 'index' && column !== 'label'
    return ask({ sort: column, descending: list.sort.value === column ? !list.descending.value : startsDescending })
  }

  /** Number of a feature drawn evenly from those that match; null when none does. */
  async function random(): Promise<number | null> {
    const offset = Math.floor(Math.random() * (list.counts.value?.matching ?? 0))
    const row = (await list.read(offset, 1))?.rows[0]
    if (row) list.cursor.value = offset
    return row?.featureIndex ?? null
  }

  /**
   * The feature `step` rows further in the list, when the cursor stands on this one; otherwise the one with the next number.
   * Null at either end of the list.
   */
  async function neighbour(id: number, featureIndex: number, step: 1 | -1, dSae: number): Promise<number | null> {
    const isListed = list.saeId.value === id && list.rowAt(list.cursor.value)?.featureIndex === featureIndex
    const next = featureIndex + step
    if (!isListed) return next < 0 || next >= dSae ? null : next
    const position = list.cursor.value + step
    if (position < 0 || position >= (list.counts.value?.matching ?? 0)) return null
    await list.ensure(position, position)
    const row = list.rowAt(position)
    if (row) list.cursor.value = position
    return row?.featureIndex ?? null
  }

  return { ask, set, clearFilter, sortBy, random, neighbour }
}

/** Changes a tag wherever it is, which can be taken back. */
function tagChanges(refresh: () => Promise<unknown>) {
  const { did } = useUndo()
  const { t } = useText()

  return async ({ id: tagId, name, color, category }: CountedTag, facts: TagFacts): Promise<void> => {
    const change = async (to: TagFacts) => {
      await client.call('tags.change', { tagId, ...to })
      await refresh()
    }
    await change(facts)
    did({ text: t('features.undo.changeTag', { name: facts.name }), undo: () => change({ name, color, category }) })
  }
}

export const useFeatureList = defineStore('feature-list', () => {
  const list = useListState()
  const tags = shallowRef<CountedTag[]>([])
  const lists = shallowRef<CountedList[]>([])
  const { did } = useUndo()
  const { t } = useText()
  const selected = shallowReactive(new Set<number>())

  async function loadNames(): Promise<void> {
    const own = list.saeId.value
    if (own === null) return
    const asked = { saeId: own }
    const answers = await Promise.all([client.call('tags.list', asked), client.call('lists.all', asked)])
    if (own === list.saeId.value) [tags.value, lists.value] = answers
  }

  /** Shows one autoencoder. Coming back to the same one keeps the rows and refreshes them underneath. */
  async function open(id: number): Promise<void> {
    if (list.saeId.value !== id) {
      list.saeId.value = id
      list.clear()
      list.cursor.value = 0
      tags.value = []
      lists.value = []
      selected.clear()
    }
    // Without tags and lists the features are still there; when all fail they say why.
    await Promise.all([list.reload(), loadNames().catch(() => undefined)])
  }

  function toggle(featureIndex: number): void {
    if (!selected.delete(featureIndex)) selected.add(featureIndex)
  }

  const refresh = () => Promise.all([list.reload(), loadNames()])

  /** Does something to every selected feature, then reads the list again; `work` answers how it is taken back, or null. */
  async function changeSelected(
    work: (asked: {
      saeId: number
      featureIndexes: number[]
    }) => Promise<{ text: string; undo: () => Promise<unknown> } | null>,
  ): Promise<void> {
    if (list.saeId.value === null || selected.size === 0) return
    const done = await work({ saeId: list.saeId.value, featureIndexes: [...selected] })
    selected.clear()
    await refresh()
    if (done) did({ text: done.text, undo: async () => (await done.undo(), await refresh()) })
  }

  const tagSelected = (name: string) =>
    changeSelected(async (asked) => {
      const { id: tagId, added } = await client.call('features.tag', { ...asked, name })
      if (added.length === 0) return null
      const text = t('features.undo.tagMany', { name, count: added.length })
      return { text, undo: () => client.call('features.untag', { ...asked, featureIndexes: added, tagId }) }
    })

  const listSelected = (name: string) =>
    changeSelected(async (asked) => {
      const { id: listId, added } = await client.call('lists.put', { ...asked, name })
      if (added.length === 0) return null
      const text = t('features.undo.listMany', { name, count: added.length })
      return { text, undo: () => client.call('lists.take', { ...asked, featureIndexes: added, listId }) }
    })

  const changeTag = tagChanges(refresh)

  return { ...list, ...listMoves(list), tags, lists, selected, open, toggle, tagSelected, listSelected, changeTag }
})
