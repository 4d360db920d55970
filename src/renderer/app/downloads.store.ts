/** Downloads from the hub as the main process tells them, and starting, stopping and repeating them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { DownloadRequest } from '../../shared/contract/hub'
import type { Download } from '../../shared/domain'
import { client, connectionState } from './client'

const ACTIVE: readonly Download['state'][] = ['listing', 'downloading', 'checking']

export const isActive = (download: Download): boolean => ACTIVE.includes(download.state)

/** Share of the bytes that have arrived, 0 to 1; null until it is known how many there are. */
export const shareOf = ({ doneBytes, totalBytes }: Pick<Download, 'doneBytes' | 'totalBytes'>): number | null =>
  totalBytes === null ? null : totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes)

/** Seconds to go at the present speed; null while there is none. */
export function secondsToGo({ totalBytes, doneBytes, bytesPerSecond }: Download): number | null {
  if (totalBytes === null || bytesPerSecond === null || bytesPerSecond <= 0) return null
  return Math.max(0, totalBytes - doneBytes) / bytesPerSecond
}

export const useDownloads = defineStore('downloads', () => {
  /** Newest first. */
  const list = shallowRef<Download[]>([])
  /** Failure of the last start, stop or dismissal; a failure of the download itself stands in the list. */
  const error = shallowRef<unknown>(null)
  /** Changes whenever a download has become a model or a dataset, so that lists can be asked again. */
  const finished = ref(0)
  /** What this page asked for, by download: rows of a dataset are not told back. */
  const requests = new Map<number, DownloadRequest>()

  const active = computed(() => list.value.filter(isActive))
  /** Share of all bytes of the active ones; null while none of them knows its size. */
  const share = computed(() => {
    const known = active.value.filter(({ totalBytes }) => totalBytes !== null)
    if (known.length === 0) return null
    const total = known.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0)
    return shareOf({ doneBytes: known.reduce((sum, { doneBytes }) => sum + doneBytes, 0), totalBytes: total })
  })

  function take(next: Download[]): void {
    const doneBefore = new Set(list.value.filter(({ state }) => state === 'done').map(({ id }) => id))
    list.value = next
    if (next.some(({ id, state }) => state === 'done' && !doneBefore.has(id))) finished.value++
  }

  /** Call once. A feed dies with its connection, so it is asked for again on every new one. */
  function follow(): void {
    watch(
      connectionState,
      (state) => {
        if (state === 'open') client.feed('downloads.watch', {}, take)
      },
      { immediate: true },
    )
  }

  /** Answers whether it was done; a refusal stays in `error`. */
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    error.value = null
    try {
      await work()
      return true
    } catch (failure) {
      error.value = failure
      return false
    }
  }

  /** @throws AppError what the main process says of the request */
  async function start(request: DownloadRequest): Promise<Download> {
    const download = await client.call('downloads.start', request)
    requests.set(download.id, request)
    return download
  }

  /** What to ask for once more; null for a dataset that another page asked for, whose rows are not known here. */
  function requestOf({ id, kind, source }: Download): DownloadRequest | null {
    return requests.get(id) ?? (kind === 'model' ? { kind, source } : null)
  }

  const cancel = (downloadId: number) => attempt(() => client.call('downloads.cancel', { downloadId }))
  const dismiss = (downloadId: number) => attempt(() => client.call('downloads.dismiss', { downloadId }))

  /** Starts one that has failed or was stopped once more; the old entry goes. What had arrived is used. */
  function again(download: Download): Promise<boolean> {
    return attempt(async () => {
      const request = requestOf(download)
      if (!request) return
      const next = await start(request)
      if (next.id !== download.id) await client.call('downloads.dismiss', { downloadId: download.id })
    })
  }

  return { list, error, finished, active, share, follow, start, requestOf, cancel, dismiss, again }
})
