/** Safety review: how many features each category holds, those of the chosen one, and which contexts were uncovered. */
import { defineStore } from 'pinia'
import { ref, shallowReactive, shallowRef } from 'vue'
import type { SafetyEntry } from '../../../shared/contract/safety'
import { SafetyCategory, type Context } from '../../../shared/domain'
import { client } from '../../app/client'

/** Contexts shown when an entry is uncovered. */
export const SHOWN_CONTEXTS = 5

type Place = { saeId: number; category: SafetyCategory }

async function readCategory({ saeId, category }: Place) {
  const [counts, entries] = await Promise.all([
    client.call('safety.counts', { saeId }),
    client.call('safety.list', { saeId, category }),
  ])
  return { counts: new Map(counts.map((entry) => [entry.category, entry.count])), entries }
}

async function readContexts({ flag }: SafetyEntry): Promise<Context[]> {
  const detail = await client.call('features.get', { saeId: flag.saeId, featureIndex: flag.featureIndex })
  return detail.contexts.slice(0, SHOWN_CONTEXTS)
}

export const useSafety = defineStore('safety', () => {
  const at = ref<{ saeId: number | null; category: SafetyCategory }>({ saeId: null, category: 'bias-misinformation' })
  const counts = shallowRef(new Map<SafetyCategory, number>())
  const entries = shallowRef<SafetyEntry[] | null>(null)
  const error = shallowRef<unknown>(null)
  const changeError = shallowRef<unknown>(null)
  /** Contexts of the entries the reader chose to see, by flag. Never remembered beyond the category. */
  const uncovered = shallowReactive(new Map<number, Context[]>())

  async function reload(): Promise<void> {
    const own = at.value
    if (own.saeId === null) return
    try {
      const answer = await readCategory({ saeId: own.saeId, category: own.category })
      if (own !== at.value) return
      counts.value = answer.counts
      entries.value = answer.entries
      error.value = null
    } catch (failure) {
      if (own === at.value) error.value = failure
    }
  }

  /** Shows a category of an autoencoder; everything is covered again. */
  async function open(saeId: number, category: SafetyCategory = at.value.category): Promise<void> {
    if (at.value.saeId !== saeId) counts.value = new Map()
    at.value = { saeId, category }
    entries.value = null
    changeError.value = null
    uncovered.clear()
    await reload()
  }

  /** Runs a change and reads the category again. Answers whether it went through. */
  async function change(work: (place: Place) => Promise<unknown>): Promise<boolean> {
    const { saeId, category } = at.value
    if (saeId === null) return false
    try {
      await work({ saeId, category })
      changeError.value = null
      await reload()
      return true
    } catch (failure) {
      changeError.value = failure
      return false
    }
  }

  const assign = (featureIndex: number, reason: string) =>
    change((place) => client.call('safety.assign', { ...place, featureIndex, reason }))

  const remove = (flagId: number) => change(() => client.call('safety.remove', { flagId }))

  /** Fetches the strongest contexts of an entry and uncovers it, or covers it again. */
  async function toggle(entry: SafetyEntry): Promise<void> {
    if (uncovered.delete(entry.flag.id)) return
    const own = at.value
    try {
      const contexts = await readContexts(entry)
      if (own === at.value) uncovered.set(entry.flag.id, contexts)
    } catch (failure) {
      if (own === at.value) changeError.value = failure
    }
  }

  return {
    ...{ at, counts, entries, error, changeError, uncovered },
    ...{ open, assign, remove, toggle },
  }
})
