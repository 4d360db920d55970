/** The best neuron of a feature, read anew when a job has ended. */
import { shallowRef, watch } from 'vue'
import type { BestNeuron, NeuronSummary } from '../../../../shared/domain'
import { client } from '../../../app/client'
import { useAppInfo } from '../../../app/info.store'

type Answer = { summary: NeuronSummary | null; best: BestNeuron | null }

export function useBestNeuron(feature: () => { saeId: number; featureIndex: number }) {
  const info = useAppInfo()
  const answer = shallowRef<Answer | null>(null)
  const error = shallowRef<unknown>(null)
  let latest = 0

  watch(
    [() => feature().saeId, () => feature().featureIndex, () => info.finishedJobs],
    async ([saeId, featureIndex]) => {
      const own = ++latest
      try {
        const found = await client.call('neurons.feature', { saeId, featureIndex })
        if (own !== latest) return
        answer.value = found
        error.value = null
      } catch (failure) {
        if (own === latest) error.value = failure
      }
    },
    { immediate: true },
  )
  return { answer, error }
}
