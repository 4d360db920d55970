/** The form that names something on the hub, and how this program reaches the hub. What was typed outlives navigation. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { DownloadRequest, HubStatus } from '../../../shared/contract/hub'
import { client } from '../../app/client'
import { useDownloads } from '../../app/downloads.store'

export const MAX_ROWS = 100_000_000

/** A whole number as people type it, with thousands separators; null when it is none. */
export function wholeNumber(text: string): number | null {
  const plain = text.trim().replace(/(?<=\d)[,_\s](?=\d{3})/g, '')
  return /^\d{1,13}$/.test(plain) ? Number(plain) : null
}

const emptyForm = () => ({
  ...{ kind: 'model' as 'model' | 'dataset', source: '', config: 'default', split: 'train' },
  ...{ textField: 'text', firstRow: '0', rows: '10,000' },
})

export const useHub = defineStore('hub', () => {
  const downloads = useDownloads()
  const status = shallowRef<HubStatus | null>(null)
  const statusError = shallowRef<unknown>(null)
  const form = reactive(emptyForm())
  const isBusy = ref(false)
  const error = shallowRef<unknown>(null)

  const firstRow = computed(() => wholeNumber(form.firstRow))
  const rows = computed(() => {
    const count = wholeNumber(form.rows)
    return count !== null && count >= 1 && count <= MAX_ROWS ? count : null
  })
  /** What the form asks for; null while it is not complete. */
  const request = computed<DownloadRequest | null>(() => {
    const source = form.source.trim()
    if (source === '') return null
    if (form.kind === 'model') return { kind: 'model', source }
    if (firstRow.value === null || rows.value === null) return null
    const { config, split, textField } = form
    return {
      ...{ kind: 'dataset', source },
      rows: {
        ...{ config: config.trim() || 'default', split: split.trim() || 'train' },
        ...{ textField: textField.trim() || 'text', firstRow: firstRow.value, rows: rows.value },
      },
    }
  })

  /** Answers whether the download has begun; then the source is cleared, else it stays to be corrected. */
  async function start(): Promise<boolean> {
    if (!request.value || isBusy.value) return false
    isBusy.value = true
    error.value = null
    try {
      await downloads.start(request.value)
      form.source = ''
      return true
    } catch (failure) {
      error.value = failure
      return false
    } finally {
      isBusy.value = false
    }
  }

  /** Takes a new status, or keeps the old one beside the reason. */
  async function ask(question: () => Promise<HubStatus>): Promise<boolean> {
    try {
      status.value = await question()
      statusError.value = null
      return true
    } catch (failure) {
      statusError.value = failure
      return false
    }
  }

  return {
    ...{ status, statusError, form, firstRow, rows, request, isBusy, error, start },
    load: () => ask(() => client.call('hub.status', {})),
    setOffline: (offline: boolean) => ask(() => client.call('hub.setOffline', { offline })),
    setToken: (token: string | null) => ask(() => client.call('hub.setToken', { token })),
  }
})
