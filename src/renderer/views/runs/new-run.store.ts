/** The form of a new run: choices, settings that suit them, and the start. What was typed outlives navigation. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { ActivationSet, Dataset, Model, Run, TrainConfig } from '../../../shared/domain'
import { presetFor } from '../../../shared/presets'
import { client } from '../../app/client'
import { useAppInfo } from '../../app/info.store'
import { emptyNumbers } from './form-fields'
import { checkForm, costOf, fillForm, fillOwnFields, fitPoint, hookOf, suggestName, type RunForm } from './run-form'

const emptyForm = (): RunForm => ({
  ...{ modelId: null, datasetId: null, activationsId: null, layer: 0, point: 'hook_resid_post', name: '', atlas: true },
  ...{ architecture: 'standard', thresholdForm: 'direct', matryoshkaWidths: '', resampleDead: false, bDecInit: null },
  ...emptyNumbers(),
})

/** Models, texts and complete sets of activations to choose from. */
function useChoices(form: RunForm) {
  const models = shallowRef<Model[] | null>(null)
  const datasets = shallowRef<Dataset[] | null>(null)
  const allSets = shallowRef<ActivationSet[] | null>(null)
  const model = computed(() => models.value?.find((one) => one.id === form.modelId) ?? null)
  const dataset = computed(() => datasets.value?.find((one) => one.id === form.datasetId) ?? null)

  /** Sets that hold what the form asks for. */
  const sets = computed(() =>
    (allSets.value ?? []).filter(
      ({ modelId, datasetId, hookNames, state }) =>
        modelId === form.modelId &&
        datasetId === form.datasetId &&
        state === 'done' &&
        hookNames.includes(hookOf(form)),
    ),
  )
  // A set that does not fit any more is not trained on.
  watch(sets, (fitting) => {
    if (allSets.value && !fitting.some(({ id }) => id === form.activationsId)) form.activationsId = null
  })

  /** Reads the lists; a choice that has gone, or none so far, becomes the newest there is. Answers whether one changed. */
  async function read(): Promise<boolean> {
    const lists = await Promise.all([
      client.call('models.list', {}),
      client.call('datasets.list', {}),
      client.call('activations.list', {}),
    ])
    ;[models.value, datasets.value, allSets.value] = lists
    const isComplete = model.value !== null && dataset.value !== null
    if (!model.value) form.modelId = lists[0].at(-1)?.id ?? null
    if (!dataset.value) form.datasetId = lists[1].at(-1)?.id ?? null
    return !isComplete
  }

  return { models, datasets, sets, model, dataset, read }
}

/** Keeps a made-up name up to date with the settings until another one is typed; `again` goes back to the made-up one. */
function useName(form: RunForm, madeUp: () => string) {
  const last = ref('')
  watch(madeUp, (name) => {
    if (form.name === last.value) form.name = name
    last.value = name
  })
  return { again: () => (form.name = last.value) }
}

/** Settings that suit what is chosen. */
function usePresets(form: RunForm, { model, dataset }: Pick<ReturnType<typeof useChoices>, 'model' | 'dataset'>) {
  function preset(): TrainConfig | null {
    if (!model.value || !dataset.value) return null
    const { id: modelId, dModel, layers, contextSize } = model.value
    const { id: datasetId, bytes: datasetBytes } = dataset.value
    const { architecture } = form
    return presetFor({ modelId, datasetId, dModel, layers, contextSize, datasetBytes, architecture })
  }

  /** Settings that suit the chosen model, text and architecture. */
  function usePreset(): void {
    const config = preset()
    if (config) fillForm(form, config)
  }

  /** After another architecture was chosen: settings of its own that suit; what all share stays as typed. */
  function useOwnPreset(): void {
    const config = preset()
    if (config) fillOwnFields(form, config)
  }

  return { usePreset, useOwnPreset }
}

export const useNewRun = defineStore('new-run', () => {
  const app = useAppInfo()
  const error = shallowRef<unknown>(null)
  const startError = shallowRef<unknown>(null)
  const isStarting = ref(false)
  const form = reactive(emptyForm())
  const { models, datasets, sets, model, dataset, read } = useChoices(form)
  const { usePreset, useOwnPreset } = usePresets(form, { model, dataset })
  const name = useName(form, () => (model.value ? suggestName(form, model.value.name) : ''))

  const checked = computed(() => checkForm(form, model.value, app.info?.totalMemoryBytes ?? null))
  const cost = computed(() => {
    const { config } = checked.value
    return config && model.value && dataset.value ? costOf(config, model.value, dataset.value) : null
  })

  // Some families lack a point that was chosen for another one, or that a copied run has.
  watch([model, () => form.point], () => model.value && fitPoint(form, model.value), { flush: 'sync' })

  async function load(): Promise<void> {
    try {
      if (await read()) usePreset()
      error.value = null
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
    if (!config || isStarting.value) return null
    isStarting.value = true
    startError.value = null
    try {
      const run = await client.call('runs.start', { name: form.name.trim(), config, atlas: form.atlas })
      name.again()
      return run
    } catch (failure) {
      startError.value = failure
      return null
    } finally {
      isStarting.value = false
    }
  }

  return {
    ...{ models, datasets, sets, model, dataset, form, checked, cost, error, startError, isStarting },
    ...{ load, usePreset, useOwnPreset, copyFrom, start },
  }
})
