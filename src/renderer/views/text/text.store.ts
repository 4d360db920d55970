/** The text-first view: the text as typed, and every active feature on its tokens. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { MonoscopeContract } from '../../../shared/contract'
import type { z } from 'zod'
import { client } from '../../app/client'
import { useLatestQuestion } from '../../app/latest-question'

export type Answer = z.output<MonoscopeContract['text.features']['output']> & { saeId: number; text: string }

export const useTextFeatures = defineStore('text-features', () => {
  const text = ref('')
  const { answer, error, isBusy, ask } = useLatestQuestion<Answer>()

  /** Reads the text; a newer question ends an older one. */
  async function read(saeId: number): Promise<void> {
    if (text.value === '') return
    const asked = { saeId, text: text.value }
    await ask(async (signal) => ({ ...(await client.call('text.features', asked, signal)), ...asked }))
  }

  return { text, answer, error, isBusy, read }
})
