/** One's own text on feature pages: it stays from feature to feature, and is read again for each. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { TokenSpan } from '../../../shared/domain'
import { AppError } from '../../../shared/errors'
import { client } from '../../app/client'

type Reading = { spans: TokenSpan[]; tokens: number; sinkTokens: number; seconds: number }

export const useOwnText = defineStore('own-text', () => {
  const text = ref('')
  const reading = shallowRef<Reading | null>(null)
  const error = shallowRef<unknown>(null)
  const isBusy = ref(false)
  let controller: AbortController | null = null

  /** Reads the text for one feature; a newer question ends an older one, and an empty text has no answer. */
  async function read(saeId: number, featureIndex: number): Promise<void> {
    controller?.abort()
    const own = new AbortController()
    controller = own
    error.value = null
    if (text.value === '') {
      reading.value = null
      isBusy.value = false
      return
    }
    isBusy.value = true
    try {
      const answer = await client.call('text.feature', { saeId, featureIndex, text: text.value }, own.signal)
      if (controller === own) reading.value = answer
    } catch (failure) {
      if (controller !== own || (failure instanceof AppError && failure.code === 'cancelled')) return
      error.value = failure
      reading.value = null
    } finally {
      if (controller === own) isBusy.value = false
    }
  }

  return { text, reading, error, isBusy, read }
})
