/** One's own text on pages of features: it stays from feature to feature, and is read again for each. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { TokenSpan } from '../../../shared/domain'
import type { Took } from '../../../shared/took'
import { client } from '../../app/client'
import { useLatestQuestion } from '../../app/latest-question'
import type { Place } from './feature-changes'

export type Reading = Took & { spans: TokenSpan[]; tokens: number; sinkTokens: number }

export const useOwnText = defineStore('own-text', () => {
  const text = ref('')
  const { answer, error, isBusy, ask, clear } = useLatestQuestion<Reading[]>()
  /** One for each feature that was asked for; none after a failure. */
  const readings = computed(() => (error.value ? [] : (answer.value ?? [])))

  /** Reads the text for some features; a newer question ends an older one, and an empty text has no answer. */
  async function read(...features: readonly Place[]): Promise<void> {
    if (text.value === '') return clear()
    const asked = { text: text.value }
    await ask((signal) =>
      Promise.all(features.map((place) => client.call('text.feature', { ...place, ...asked }, signal))),
    )
  }

  return { text, readings, error, isBusy, read }
})
