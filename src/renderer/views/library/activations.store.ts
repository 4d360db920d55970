/** Sets of activations on disk: the list, the form that starts one with its size told before, stopping, going on, removing. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch, type Ref } from 'vue'
import type { ActivationQuote } from '../../../shared/contract/activations'
import type { ActivationSet, Model } from '../../../shared/domain'
import { BLOCK_HOOKS, blockHook, type BlockHook } from '../../../shared/hooks'
import { client } from '../../app/client'

/** Places of a block where vectors are as wide as the model. */
const WIDE: readonly BlockHook[] = [
  'hook_resid_pre',
  'hook_resid_mid',
  'hook_resid_post',
  'hook_attn_out',
  'hook_mlp_out',
]
export const pointsOf = (model: Model | null): BlockHook[] =>
  BLOCK_HOOKS.filter((site) => WIDE.includes(site) && model?.absentHooks.includes(site) !== true)

const AGAIN_MS = 400
const ENDED: readonly string[] = ['done', 'failed', 'cancelled', 'interrupted']
export const isCollecting = ({ state }: ActivationSet): boolean => !ENDED.includes(state)

const wholeOf = (text: string): number => (/^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN)

/** What the form says, or null while it says nothing that could be collected. */
function wantedOf(form: Form) {
  const { modelId, datasetId, point, blocks } = form
  const [tokens, contextSize] = [wholeOf(form.tokens), wholeOf(form.contextSize)]
  const isWhole = tokens >= 16 && tokens <= 2 ** 28 && contextSize >= 8 && contextSize <= 4096
  if (modelId === null || datasetId === null || blocks.length === 0 || !isWhole) return null
  const hookNames = blocks.toSorted((a, b) => a - b).map((block) => blockHook(block, point))
  return { modelId, datasetId, hookNames, tokens, contextSize }
}

type Form = {
  modelId: number | null
  datasetId: number | null
  point: BlockHook
  /** Numbers of the blocks whose `point` is collected. */
  blocks: number[]
  tokens: string
  contextSize: string
}
const emptyForm = (): Form => ({
  ...{ modelId: null, datasetId: null, point: 'hook_resid_post', blocks: [], tokens: '1000000', contextSize: '128' },
})

/** Runs one piece of work at a time; what goes wrong is put where it is shown. */
function useWork() {
  const isBusy = ref(false)
  async function work(into: Ref<unknown>, task: () => Promise<unknown>): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    into.value = null
    try {
      await task()
    } catch (failure) {
      into.value = failure
    } finally {
      isBusy.value = false
    }
  }
  return { isBusy, work }
}

/** Follows the jobs of sets that are being collected, one subscription each, over lost connections. */
function useWatching(reload: () => Promise<void>) {
  const watched = new Set<number>()
  function follow(jobId: number): void {
    if (watched.has(jobId)) return
    watched.add(jobId)
    client.feed(
      'jobs.watch',
      { jobId },
      () => void reload(),
      (error) => {
        watched.delete(jobId)
        if (error?.code === 'connection-lost') setTimeout(() => follow(jobId), AGAIN_MS)
        else void reload()
      },
    )
  }
  return (sets: readonly ActivationSet[]) => {
    for (const set of sets) if (set.jobId !== null && isCollecting(set)) follow(set.jobId)
  }
}

export const useActivations = defineStore('activations', () => {
  const sets = shallowRef<ActivationSet[] | null>(null)
  const error = shallowRef<unknown>(null)
  const form = reactive(emptyForm())
  const formError = shallowRef<unknown>(null)
  const quote = shallowRef<ActivationQuote | null>(null)
  const { isBusy, work } = useWork()
  const wanted = computed(() => wantedOf(form))
  const followAll = useWatching(load)

  // A size holds for what it was reckoned for.
  watch(wanted, () => {
    quote.value = null
    formError.value = null
  })

  async function load(): Promise<void> {
    try {
      sets.value = await client.call('activations.list', {})
      error.value = null
      followAll(sets.value)
    } catch (failure) {
      error.value = failure
    }
  }

  const reckon = () =>
    work(formError, async () => {
      const asked = wanted.value
      if (!asked) return
      const found = await client.call('activations.quote', asked)
      if (wanted.value === asked) quote.value = found
    })

  const start = () =>
    work(formError, async () => {
      if (!wanted.value) return
      await client.call('activations.start', wanted.value)
      quote.value = null
      await load()
    })

  /** Goes on with a set whose job ended early. */
  const goOn = (set: ActivationSet) =>
    work(error, async () => {
      const { modelId, datasetId, hookNames, tokens, contextSize, seed } = set
      await client.call('activations.start', { modelId, datasetId, hookNames, tokens, contextSize, seed })
      await load()
    })

  const stop = (jobId: number) =>
    work(error, async () => {
      await client.call('jobs.cancel', { jobId })
      await load()
    })

  const remove = (activationsId: number) =>
    work(error, async () => {
      await client.call('activations.remove', { activationsId })
      await load()
    })

  return { sets, error, form, formError, quote, isBusy, wanted, load, reckon, start, goOn, stop, remove }
})
