/** The form of a new run: choices, settings that suit them, and the start. What was typed outlives navigation. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Dataset, Model, Run } from '../../../shared/domain'
import { presetFor } from '../../../shared/presets'
import { client } from '../../app/client'
import { useAppInfo } from '../../app/info.store'
import { checkForm, costOf, fillForm, suggestName, type RunForm } from './run-form'

const emptyForm = (): RunForm => ({
  ...{ modelId: null, datasetId: null, layer: 0, point: 'hook_resid_post', name: '', atlas: true },
  ...{ dSae: '', l1Coefficient: '', learningRate: '', batchTokens: '', trainingTokens: '' },
  ...{ contextSize: '', bufferTokens: '', seed: '0' },
})

export const useNewRun = defineStore('new-run', () => {
  const app = useAppInfo()
  const models = shallowRef<Model[] | null>(null)
  const datasets = shallowRef<Dataset[] | null>(null)
  const error = shallowRef<unknown>(null)
  const startError = shallowRef<unknown>(null)
  const isStarting = ref(false)
  const form = reactive(emptyForm())
  /** The last name that was made up; a name that differs from it was typed and is kept. */
  const madeUpName = ref('')

  const model = computed(() => models.value?.find((one) => one.id === form.modelId) ?? null)
  const dataset = computed(() => datasets.value?.find((one) => one.id === form.datasetId) ?? null)
  const checked = computed(() => checkForm(form, model.value, app.info?.totalMemoryBytes ?? null))
  const cost = computed(() => {
    const { config } = checked.value
    return config && model.value && dataset.value ? costOf(config, model.value, dataset.value) : null
  })

  watch(
    () => (model.value ? suggestName(form, model.value.name) : ''),
    (name) => {
      if (form.name === madeUpName.value) form.name = name
      madeUpName.value = name
    },
  )

  /** Settings that suit the chosen model and text. */
  function usePreset(): void {
    if (!model.value || !dataset.value) return
    const { dModel, layers, contextSize } = model.value
    const ids = { modelId: model.value.id, datasetId: dataset.value.id }
    fillForm(form, presetFor({ ...ids, dModel, layers, contextSize, datasetBytes: dataset.value.bytes }))
  }

  /** Reads the choices; one that has gone, or none so far, becomes the newest there is. */
  async function load(): Promise<void> {
    try {
      const [newModels, newDatasets] = await Promise.all([
        client.call('models.list', {}),
        client.call('datasets.list', {}),
      ])
      models.value = newModels
      datasets.value = newDatasets
      error.value = null
      if (model.value && dataset.value) return
      if (!model.value) form.modelId = newModels.at(-1)?.id ?? null
      if (!dataset.value) form.datasetId = newDatasets.at(-1)?.id ?? null
      usePreset()
    } catch (failure) {
      error.value = failure
    }
  }

  /** Takes the settings of a run that exists. */
  async function copyFrom(runId: number): Promise<void> {
    try {
      fillForm(form, (await client.call('runs.get', { runId })).config)
    } catch (failure) {
      error.value = failure
    }
  }

  /** Queues the run; null when the form or the host refused it. */
  async function start(): Promise<Run | null> {
    const { config } = checked.value
    if (!config || !dataset.value || isStarting.value) return null
    isStarting.value = true
    startError.value = null
    try {
      const run = await client.call('runs.start', { name: form.name.trim(), config, atlas: form.atlas })
      // The next form starts from the same settings under a name of its own.
      form.name = madeUpName.value
      return run
    } catch (failure) {
      startError.value = failure
      return null
    } finally {
      isStarting.value = false
    }
  }

  return {
    ...{ models, datasets, model, dataset, form, checked, cost, error, startError, isStarting },
    ...{ load, usePreset, copyFrom, start },
  }
})
