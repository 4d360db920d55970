/** Rows of a long list, fetched by the page as they come into view; answers to outdated questions are dropped. */
import { ref, shallowReactive, shallowRef } from 'vue'
import type { FeaturePage } from '../../../shared/contract/features'
import type { FeatureRow } from '../../../shared/domain'

/** Rows per request. */
export const PAGE_ROWS = 100

/** `isMore`: at least so many match, and the rest is still being counted. */
export type Counts = { matching: number; isMore: boolean; total: number; alive: number }

/**
 * @param read answers rows `offset` to `offset + limit` of the list as it is asked for now; null when nothing can be asked
 * @param count answers how many rows the list has, where `read` only knew that there are many
 */
export function useListPages(
  read: (offset: number, limit: number) => Promise<FeaturePage> | null,
  count: () => Promise<number>,
) {
  // Rows are large and never change in place, so only the map is reactive.
  const pages = shallowReactive(new Map<number, FeatureRow[]>())
  const counts = shallowRef<Counts | null>(null)
  const error = shallowRef<unknown>(null)
  const isBusy = ref(false)
  const asked = new Set<number>()
  /** Raised by every new question. */
  let generation = 0

  async function fetchPage(page: number): Promise<void> {
    if (asked.has(page)) return
    const own = generation
    asked.add(page)
    try {
      const answer = await read(page * PAGE_ROWS, PAGE_ROWS)
      if (own !== generation || !answer) return
      if (page === 0) for (const old of [...pages.keys()]) if (!asked.has(old)) pages.delete(old)
      pages.set(page, answer.rows)
      error.value = null
      if (page === 0) await takeCounts(answer, own)
    } catch (failure) {
      if (own !== generation) return
      asked.delete(page)
      error.value = failure
    }
  }

  /** Counts come with the first page; what it did not count to its end is asked for afterwards. */
  async function takeCounts({ matching, isMore, total, alive }: FeaturePage, own: number): Promise<void> {
    counts.value = { matching, isMore, total, alive }
    if (!isMore) return
    const all = await count()
    if (own === generation) counts.value = { matching: all, isMore: false, total, alive }
  }

  /** The row at a position of the list, when its page is here. */
  const rowAt = (position: number): FeatureRow | undefined =>
    pages.get(Math.floor(position / PAGE_ROWS))?.[position % PAGE_ROWS]

  /** Fetches the pages that hold positions `from` to `to`, both included. */
  async function ensure(from: number, to: number): Promise<void> {
    const first = Math.max(0, Math.floor(from / PAGE_ROWS))
    const last = Math.max(first, Math.floor(to / PAGE_ROWS))
    await Promise.all(Array.from({ length: last - first + 1 }, (_, k) => fetchPage(first + k)))
  }

  /** Asks again from the start; old rows stay until the first new ones arrive, so that the list does not blink. */
  async function reload(): Promise<void> {
    const own = ++generation
    asked.clear()
    isBusy.value = true
    await fetchPage(0)
    if (own === generation) isBusy.value = false
  }

  /** Forgets everything. */
  function clear(): void {
    generation++
    asked.clear()
    pages.clear()
    counts.value = null
    error.value = null
  }

  return { counts, error, isBusy, rowAt, ensure, reload, clear }
}
