/** The autoencoder that features, search, safety and catalog are about. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Sae } from '../../shared/domain'
import { client } from './client'

const KEY = 'monoscope-sae'

export const useCurrentSae = defineStore('current-sae', () => {
  /** Newest first, as the contract gives them. */
  const list = shallowRef<Sae[]>([])
  const chosenId = ref<number | null>(Number(localStorage.getItem(KEY)) || null)
  const isLoaded = ref(false)
  const error = shallowRef<unknown>(null)

  /** The chosen one while it exists, else the newest with an atlas, else the newest. */
  const sae = computed<Sae | null>(
    () =>
      list.value.find((one) => one.id === chosenId.value) ??
      list.value.find((one) => one.atlas !== null) ??
      list.value[0] ??
      null,
  )

  async function load(): Promise<void> {
    try {
      list.value = await client.call('saes.list', {})
      error.value = null
      isLoaded.value = true
    } catch (failure) {
      error.value = failure
    }
  }

  function choose(id: number): void {
    chosenId.value = id
    localStorage.setItem(KEY, String(id))
  }

  return { list, sae, isLoaded, error, load, choose }
})
