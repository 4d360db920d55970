/** The text-first view: the text as typed, and every active feature on its tokens. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { MonoscopeContract } from '../../../shared/contract'
import { AppError } from '../../../shared/errors'
import type { z } from 'zod'
import { client } from '../../app/client'

export type Answer = z.output<MonoscopeContract['text.features']['output']> & { saeId: number; text: string }

export const useTextFeatures = defineStore('text-features', () => {
  const text = ref('')
  const answer = shallowRef<Answer | null>(null)
  const error = shallowRef<unknown>(null)
  const isBusy = ref(false)
  let controller: AbortController | null = null

  /** Reads the text; a newer question ends an older one. */
  async function read(saeId: number): Promise<void> {
    if (text.value === '') return
    controller?.abort()
    const own = new AbortController()
    controller = own
    isBusy.value = true
    error.value = null
    const asked = { saeId, text: text.value }
    try {
      const found = await client.call('text.features', asked, own.signal)
      if (controller === own) answer.value = { ...found, ...asked }
    } catch (failure) {
      if (controller !== own || (failure instanceof AppError && failure.code === 'cancelled')) return
      error.value = failure
    } finally {
      if (controller === own) isBusy.value = false
    }
  }

  return { text, answer, error, isBusy, read }
})
