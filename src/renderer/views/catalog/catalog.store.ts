/** Catalogs written so far, and writing a new one. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { CatalogExport } from '../../../shared/contract/catalog'
import { client } from '../../app/client'

export type Format = CatalogExport['format']
export type Which = 'alive' | 'all' | 'labelled'

export const useCatalog = defineStore('catalog', () => {
  const format = ref<Format>('jsonl')
  const which = ref<Which>('alive')
  /** A folder the user chose; null writes into the workspace. */
  const folder = ref<string | null>(null)
  /** Whether the host has a dialog to choose a folder with. */
  const canChooseFolder = ref(false)
  const exports = shallowRef<CatalogExport[] | null>(null)
  /** The export just made, to be pointed at in the list. */
  const latest = ref<number | null>(null)
  const error = shallowRef<unknown>(null)
  const exportError = shallowRef<unknown>(null)
  const isBusy = ref(false)

  async function load(): Promise<void> {
    try {
      const [list, info] = await Promise.all([client.call('catalog.list', {}), client.call('app.info', {})])
      canChooseFolder.value = info.hasDialogs
      exports.value = list.sort((a, b) => b.id - a.id)
      error.value = null
    } catch (failure) {
      error.value = failure
    }
  }

  async function write(saeId: number): Promise<void> {
    isBusy.value = true
    exportError.value = null
    try {
      const where = folder.value === null ? {} : { folder: folder.value }
      const made = await client.call('catalog.export', { saeId, format: format.value, which: which.value, ...where })
      latest.value = made.id
      await load()
    } catch (failure) {
      exportError.value = failure
    } finally {
      isBusy.value = false
    }
  }

  async function chooseFolder(): Promise<void> {
    try {
      folder.value = (await client.call('app.choosePath', { what: 'exportFolder' })) ?? folder.value
    } catch (failure) {
      exportError.value = failure
    }
  }

  return {
    format,
    which,
    folder,
    canChooseFolder,
    exports,
    latest,
    error,
    exportError,
    isBusy,
    load,
    write,
    chooseFolder,
  }
})
