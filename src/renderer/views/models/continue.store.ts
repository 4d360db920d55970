/** Prompts to be continued, how tokens are drawn, and what the model has written so far. What was typed outlives navigation. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import { Sampling } from '../../../shared/contract/lm'
import { client } from '../../app/client'
import { append, newContinuation, type Continuation } from './continuation'
import { useSlow } from './wait'

export const MAX_PROMPTS = 4
export const SAMPLING_FIELDS = ['maxTokens', 'temperature', 'topP', 'seed'] as const
export type SamplingField = (typeof SAMPLING_FIELDS)[number]

/** `text` is null while the example stands in the field. */
export type PromptRow = { id: number; text: string | null }

const numberOf = (text: string) => (text.trim() === '' ? NaN : Number(text.trim().replace(/(?<=\d),(?=\d{3})/g, '')))

/** The numbers as typed, and which of them do not do. */
function useSampling() {
  const typed = reactive<Record<SamplingField, string>>({ maxTokens: '64', temperature: '0', topP: '1', seed: '0' })
  const parsed = computed(() =>
    Sampling.safeParse({
      ...{ maxTokens: numberOf(typed.maxTokens), temperature: numberOf(typed.temperature) },
      ...{ topP: numberOf(typed.topP), seed: numberOf(typed.seed) },
    }),
  )
  const sampling = computed(() => parsed.value.data ?? null)
  const wrong = computed(() => {
    const paths = new Set(parsed.value.error?.issues.map(({ path }) => path[0]))
    return SAMPLING_FIELDS.filter((field) => paths.has(field))
  })
  return { typed, sampling, wrong }
}

/** One to four rows. */
function usePrompts() {
  let nextId = 2
  const prompts = ref<PromptRow[]>([{ id: 1, text: null }])
  function add(): void {
    if (prompts.value.length < MAX_PROMPTS) prompts.value.push({ id: nextId++, text: '' })
  }
  function remove(id: number): void {
    if (prompts.value.length > 1) prompts.value = prompts.value.filter((row) => row.id !== id)
  }
  return { prompts, add, remove }
}

type PromptsOf = (isCurrent: () => boolean) => Promise<string[]>

/** One question at a time: what has been written, and the way to stop it. */
function useWriting() {
  const results = ref<Continuation[]>([])
  const error = shallowRef<unknown>(null)
  const isRunning = ref(false)
  const isSlow = useSlow(computed(() => isRunning.value && results.value.every(({ pieces }) => pieces.length === 0)))
  let stopFeed: (() => void) | null = null
  /** Counts the questions, so that what belongs to an older one is known. */
  let question = 0

  /** Every continuation that has no end gets one. */
  function end(reason: 'stopped' | 'failed'): void {
    stopFeed = null
    isRunning.value = false
    for (const result of results.value) result.end ??= reason
  }

  function stop(): void {
    question++
    stopFeed?.()
    if (isRunning.value) end('stopped')
  }

  function fail(failure: unknown): void {
    error.value = failure
    end('failed')
  }

  function feed(modelId: number, prompts: string[], sampling: Sampling): void {
    const own = question
    results.value = prompts.map(newContinuation)
    stopFeed = client.feed(
      'lm.generate',
      { modelId, prompts, sampling },
      (event) => {
        const result = results.value[event.prompt]
        if (own === question && result) append(result, event)
      },
      (failure) => {
        if (own !== question) return
        if (failure) fail(failure)
        else end('stopped')
      },
    )
  }

  /** Ends what was going on and continues the prompts that `promptsOf` answers; it is told how to find out it came too late. */
  async function write(modelId: number, promptsOf: PromptsOf, sampling: Sampling): Promise<void> {
    clear()
    const own = question
    isRunning.value = true
    try {
      const prompts = await promptsOf(() => own === question)
      if (own === question) feed(modelId, prompts, sampling)
    } catch (failure) {
      if (own === question) fail(failure)
    }
  }

  function clear(): void {
    stop()
    results.value = []
    error.value = null
  }

  return { results, error, isRunning, isSlow, write, stop, clear }
}

export const useContinue = defineStore('model-continue', () => {
  const { typed, sampling, wrong } = useSampling()
  const { prompts, add, remove } = usePrompts()
  const { write, clear: clearResults, ...writing } = useWriting()
  const chat = reactive({ isOn: false, system: '', user: null as string | null })
  /** What the chat template made of the messages; null unless the last question was a chat. */
  const templateText = ref<string | null>(null)

  /** The messages as the model's template writes them. */
  async function chatPrompt(modelId: number, user: string, isCurrent: () => boolean): Promise<string[]> {
    const system = chat.system.trim() === '' ? [] : [{ role: 'system' as const, content: chat.system }]
    const messages = [...system, { role: 'user' as const, content: user }]
    const { text } = await client.call('lm.chatText', { modelId, messages })
    if (isCurrent()) templateText.value = text
    return [text]
  }

  /** Continues every prompt that holds text. `example` stands for what was not typed. */
  async function generate(modelId: number, example: string): Promise<void> {
    if (!sampling.value) return
    const user = chat.user ?? example
    const texts = prompts.value.map(({ text }) => text ?? example).filter((text) => text !== '')
    if (chat.isOn ? user.trim() === '' : texts.length === 0) return
    templateText.value = null
    const promptsOf: PromptsOf = (isCurrent) =>
      chat.isOn ? chatPrompt(modelId, user, isCurrent) : Promise.resolve(texts)
    await write(modelId, promptsOf, { ...sampling.value })
  }

  /** Before another model is shown. */
  function clear(): void {
    clearResults()
    templateText.value = null
  }

  return { prompts, typed, sampling, wrong, chat, templateText, ...writing, add, remove, generate, clear }
})
