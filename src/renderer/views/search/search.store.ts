/** Search by prompt combinations: the prompts as typed, and the last answer with the prompts it belongs to. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { PromptSearchResult } from '../../../shared/contract/search'
import type { Prompt } from '../../../shared/domain'
import { client } from '../../app/client'
import { useLatestQuestion } from '../../app/latest-question'

export const MAX_PROMPTS = 20
/** Offered limits on density, as shares of tokens. */
export const DENSITY_CHOICES = [0.001, 0.01, 0.05, 0.1, 1] as const

export type PromptRow = Prompt & { id: number }
/** An answer, what was asked, and of which autoencoder. */
export type Answered = PromptSearchResult & { saeId: number; asked: PromptRow[]; maxDensity: number }

/** Letter of a prompt, A to T; the heads of the result columns repeat it. */
export const letterOf = (position: number) => String.fromCharCode(65 + position)

export const usePromptSearch = defineStore('prompt-search', () => {
  let nextId = 1
  const makeRow = (sign: Prompt['sign']): PromptRow => ({ id: nextId++, text: '', sign })
  const prompts = ref<PromptRow[]>([makeRow('positive'), makeRow('positive'), makeRow('negative')])
  const maxDensity = ref(1)
  const { answer, error, isBusy, ask, stop: cancel } = useLatestQuestion<Answered>()

  const filled = computed(() => prompts.value.filter((prompt) => prompt.text !== ''))
  const canSearch = computed(() => filled.value.some((prompt) => prompt.sign === 'positive'))

  function add(sign: Prompt['sign']): void {
    if (prompts.value.length < MAX_PROMPTS) prompts.value.push(makeRow(sign))
  }

  function remove(id: number): void {
    prompts.value = prompts.value.filter((prompt) => prompt.id !== id)
    if (prompts.value.length === 0) prompts.value.push(makeRow('positive'))
  }

  function flip(id: number): void {
    const prompt = prompts.value.find((other) => other.id === id)
    if (prompt) prompt.sign = prompt.sign === 'positive' ? 'negative' : 'positive'
  }

  /** Asks with the rows that hold text. A newer search ends an older one. */
  async function search(saeId: number): Promise<void> {
    if (!canSearch.value) return
    const asked = filled.value.map((prompt) => ({ ...prompt }))
    const input = { saeId, prompts: asked.map(({ text, sign }) => ({ text, sign })), maxDensity: maxDensity.value }
    await ask(async (signal) => {
      const result = await client.call('search.prompts', input, signal)
      return { ...result, saeId, asked, maxDensity: input.maxDensity }
    })
  }

  return { prompts, maxDensity, answer, error, isBusy, filled, canSearch, add, remove, flip, search, cancel }
})
