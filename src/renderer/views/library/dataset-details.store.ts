/** What is asked about one text at a time: some of its documents, and how many tokens a model makes of it. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { TokenCount } from '../../../shared/domain'
import { client } from '../../app/client'
import { useLibrary } from './library.store'

/** Documents on one page of the preview. */
export const PAGE_SIZE = 10

export type PreviewDocument = { index: number; text: string; characters: number }

/** The list with the count of this model replaced, newest last. */
const withCount = (counts: readonly TokenCount[], count: TokenCount): TokenCount[] => [
  ...counts.filter(({ modelId }) => modelId !== count.modelId),
  count,
]

export const useDatasetDetails = defineStore('dataset-details', () => {
  const library = useLibrary()
  /** Dataset whose documents are shown; null for none. */
  const openId = ref<number | null>(null)
  const first = ref(0)
  const documents = shallowRef<PreviewDocument[] | null>(null)
  const previewError = shallowRef<unknown>(null)
  /** Dataset that is being counted; one at a time, for counting reads files. */
  const countingId = ref<number | null>(null)
  const countError = shallowRef<{ datasetId: number; failure: unknown } | null>(null)
  let controller: AbortController | null = null

  /** Shows the documents from `from` on; a newer question ends an older one. */
  async function show(datasetId: number, from = 0): Promise<void> {
    controller?.abort()
    const own = new AbortController()
    controller = own
    if (openId.value !== datasetId) documents.value = null
    openId.value = datasetId
    first.value = Math.max(0, from)
    previewError.value = null
    try {
      const input = { datasetId, first: first.value, count: PAGE_SIZE }
      const answer = await client.call('datasets.preview', input, own.signal)
      if (controller === own) documents.value = answer
    } catch (failure) {
      if (controller === own) previewError.value = failure
    }
  }

  function hide(): void {
    controller?.abort()
    controller = null
    openId.value = null
    documents.value = null
    previewError.value = null
  }

  async function countTokens(datasetId: number, modelId: number): Promise<void> {
    if (countingId.value !== null) return
    countingId.value = datasetId
    countError.value = null
    try {
      const count = await client.call('datasets.countTokens', { datasetId, modelId })
      library.renewDataset(datasetId, (dataset) => ({
        ...dataset,
        tokenCounts: withCount(dataset.tokenCounts, count),
      }))
    } catch (failure) {
      countError.value = { datasetId, failure }
    } finally {
      countingId.value = null
    }
  }

  return { openId, first, documents, previewError, countingId, countError, show, hide, countTokens }
})
