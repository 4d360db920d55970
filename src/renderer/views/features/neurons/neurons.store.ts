/** What was found when features of one autoencoder were held against neurons: read, measured anew, stopped. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { Dataset, NeuronMatches } from '../../../../shared/domain'
import { useAttempt } from '../../../app/attempt'
import { client } from '../../../app/client'
import { useLatestJob } from '../../../app/latest-job'

/** Rows of the table. */
const MOST_SHOWN = 200

export const useNeurons = defineStore('neurons', () => {
  const saeId = ref<number | null>(null)
  const found = shallowRef<NeuronMatches | null>(null)
  const datasets = shallowRef<Dataset[]>([])
  const isLoaded = ref(false)
  const isBusy = ref(false)
  const { error, attempt } = useAttempt(saeId)

  /** Shows one autoencoder, reading what is known of it anew. */
  async function open(id: number): Promise<void> {
    if (saeId.value !== id) {
      saeId.value = id
      found.value = null
      isLoaded.value = false
    }
    await attempt(async (own) => {
      const [matches, sets] = await Promise.all([
        client.call('neurons.get', { saeId: own, limit: MOST_SHOWN }),
        client.call('datasets.list', {}),
      ])
      if (own !== saeId.value) return
      found.value = matches
      datasets.value = sets
      isLoaded.value = true
    })
  }

  async function start(datasetId: number): Promise<void> {
    isBusy.value = true
    await attempt((own) => client.call('neurons.start', { saeId: own, datasetId }))
    isBusy.value = false
  }

  const cancel = (jobId: number) => attempt(() => client.call('jobs.cancel', { jobId }))

  return {
    ...{ saeId, found, datasets, isLoaded, isBusy, error },
    ...useLatestJob('neurons', () => saeId.value),
    ...{ open, start, cancel },
  }
})
