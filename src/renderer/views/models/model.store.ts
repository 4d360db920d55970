/** The model of the model page, and the text it reads: the last answer, and the token that is looked at. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Reading, ReadToken } from '../../../shared/contract/lm'
import type { Model } from '../../../shared/domain'
import type { TextStart } from '../../../shared/text-start'
import { AppError } from '../../../shared/errors'
import { client } from '../../app/client'
import { useSlow } from './wait'

/** Next tokens asked for at every position. */
const TOP = 10

const isCancelled = (failure: unknown) => failure instanceof AppError && failure.code === 'cancelled'

/** First token of every span: spans cover the tokens in order, some of them several. */
export function spanStarts(spans: Reading['spans']): number[] {
  let next = 0
  return spans.map(({ ids }) => (next += ids.length) - ids.length)
}

/** One text as a model read it, and the token under the cursor. */
function useReading() {
  const answer = shallowRef<Reading | null>(null)
  /** The text the answer belongs to. */
  const readText = ref('')
  const error = shallowRef<unknown>(null)
  const isReading = ref(false)
  const isSlow = useSlow(isReading)
  /** Index into the tokens of the answer. */
  const selected = ref(0)
  let controller: AbortController | null = null

  const token = computed<ReadToken | null>(() => answer.value?.tokens[selected.value] ?? null)
  const starts = computed(() => spanStarts(answer.value?.spans ?? []))
  /** The span that holds the token; -1 without an answer. */
  const selectedSpan = computed(() => starts.value.findLastIndex((start) => start <= selected.value))
  const maxLoss = computed(() => Math.max(0, ...(answer.value?.spans.map(({ value }) => value) ?? [])))
  const perplexity = computed(() => {
    const loss = answer.value?.meanLoss ?? null
    return loss === null ? null : Math.exp(loss)
  })

  function select(index: number): void {
    const last = (answer.value?.tokens.length ?? 0) - 1
    if (last >= 0) selected.value = Math.max(0, Math.min(last, index))
  }

  /** The last token of a span: what follows it is what the model expects after the character. */
  function selectSpan(span: number): void {
    const count = answer.value?.tokens.length ?? 0
    if (starts.value[span] !== undefined) select((starts.value[span + 1] ?? count) - 1)
  }

  /** A newer question ends an older one. */
  async function read(modelId: number, text: string): Promise<void> {
    if (text === '') return
    controller?.abort()
    const own = new AbortController()
    controller = own
    isReading.value = true
    error.value = null
    try {
      const result = await client.call('lm.read', { modelId, text, top: TOP }, own.signal)
      if (controller !== own) return
      answer.value = result
      readText.value = text
      // What comes next is the first thing to be seen.
      select(result.tokens.length - 1)
    } catch (failure) {
      if (controller === own && !isCancelled(failure)) error.value = failure
    } finally {
      if (controller === own) isReading.value = false
    }
  }

  function clear(): void {
    controller?.abort()
    controller = null
    isReading.value = false
    answer.value = null
    error.value = null
  }

  const shown = { answer, readText, token, selected, selectedSpan, maxLoss, perplexity }
  return { ...shown, readError: error, isReading, isSlow, select, selectSpan, read, clear }
}

export const useModelPage = defineStore('model-page', () => {
  const model = shallowRef<Model | null>(null)
  const isLoaded = ref(false)
  const error = shallowRef<unknown>(null)
  /** What was typed; null while the example stands in the field. Outlives navigation. */
  const text = ref<string | null>(null)
  const { clear, ...reading } = useReading()

  /** Shows one model; an answer of another one goes. `model` stays null for one that is not in the workspace. */
  async function load(modelId: number): Promise<void> {
    if (model.value?.id !== modelId) {
      model.value = null
      startError.value = null
      isLoaded.value = false
      clear()
    }
    try {
      const list = await client.call('models.list', {})
      model.value = list.find(({ id }) => id === modelId) ?? null
      isLoaded.value = true
      error.value = null
    } catch (failure) {
      error.value = failure
    }
  }

  const isChoosing = ref(false)
  const startError = shallowRef<unknown>(null)

  /** Chooses what stands before every text; an answer that was read with something else goes. */
  async function setTextStart(textStart: TextStart): Promise<void> {
    const asked = model.value
    if (!asked) return
    isChoosing.value = true
    startError.value = null
    try {
      const changed = await client.call('models.setTextStart', { modelId: asked.id, textStart })
      if (model.value?.id !== asked.id) return
      model.value = changed
      clear()
    } catch (failure) {
      startError.value = failure
      // The field goes back to what holds.
      model.value = { ...asked }
    } finally {
      isChoosing.value = false
    }
  }

  const start = { isChoosing, startError, setTextStart }
  return { model, isLoaded, error, text, load, ...start, ...reading }
})
