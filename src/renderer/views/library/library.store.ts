/** Models and datasets of the workspace: the lists, adding by path or drop, removing. Paths typed and not yet added outlive navigation. */
import { defineStore } from 'pinia'
import { reactive, ref, shallowRef } from 'vue'
import type { Dataset, Model } from '../../../shared/domain'
import { client } from '../../app/client'

/** One form for adding: what was typed, whether the answer is awaited, what went wrong. */
type Adding = { path: string; isBusy: boolean; error: unknown }
const emptyForm = (): Adding => ({ path: '', isBusy: false, error: null })

/** Runs the work of one form; a path that was taken in is cleared, a refused one stays to be corrected. */
async function submit(form: Adding, work: () => Promise<unknown>): Promise<boolean> {
  if (form.isBusy) return false
  form.isBusy = true
  form.error = null
  try {
    await work()
    form.path = ''
    return true
  } catch (failure) {
    form.error = failure
    return false
  } finally {
    form.isBusy = false
  }
}

/** Puts a path from the system's dialog into a form; closing the dialog changes nothing. */
async function choosePath(form: Adding, what: 'modelFolder' | 'textFile'): Promise<void> {
  try {
    form.path = (await client.call('app.choosePath', { what })) ?? form.path
  } catch (failure) {
    form.error = failure
  }
}

/** Removals, and why the last one was refused; shown above the lists. */
function useRemoval(load: () => Promise<void>) {
  const removeError = shallowRef<unknown>(null)

  async function remove(work: () => Promise<unknown>): Promise<void> {
    removeError.value = null
    try {
      await work()
    } catch (failure) {
      removeError.value = failure
    }
    await load()
  }

  return {
    removeError,
    removeModel: (modelId: number) => remove(() => client.call('models.remove', { modelId })),
    removeDataset: (datasetId: number) => remove(() => client.call('datasets.remove', { datasetId })),
  }
}

export const useLibrary = defineStore('library', () => {
  const models = shallowRef<Model[] | null>(null)
  const datasets = shallowRef<Dataset[] | null>(null)
  const error = shallowRef<unknown>(null)
  const modelForm = reactive(emptyForm())
  const textForm = reactive(emptyForm())
  const textField = ref('text')
  const deduplicate = ref(false)

  async function load(): Promise<void> {
    try {
      const [newModels, newDatasets] = await Promise.all([
        client.call('models.list', {}),
        client.call('datasets.list', {}),
      ])
      models.value = newModels
      datasets.value = newDatasets
      error.value = null
    } catch (failure) {
      error.value = failure
    }
  }

  const addModel = () =>
    submit(modelForm, async () => {
      await client.call('models.add', { path: modelForm.path.trim() })
      await load()
    })

  const addText = () =>
    submit(textForm, async () => {
      await client.call('datasets.add', {
        path: textForm.path.trim(),
        textField: textField.value.trim() || 'text',
        deduplicate: deduplicate.value,
      })
      await load()
    })

  /** A dropped model folder is added at once. */
  async function dropModel(path: string): Promise<boolean> {
    if (modelForm.isBusy) return false
    modelForm.path = path
    return addModel()
  }

  /** A dropped text only fills the field: which column, and whether repeated documents count, is chosen before it is read. */
  function dropText(path: string): void {
    if (textForm.isBusy) return
    textForm.path = path
    textForm.error = null
  }

  /** Puts what is known anew of one dataset into the list. */
  function renewDataset(datasetId: number, change: (dataset: Dataset) => Dataset): void {
    datasets.value = datasets.value?.map((one) => (one.id === datasetId ? change(one) : one)) ?? null
  }

  return {
    ...{ models, datasets, error, modelForm, textForm, textField, deduplicate },
    ...{ load, addModel, addText, dropModel, dropText, renewDataset },
    ...useRemoval(load),
    chooseModel: () => choosePath(modelForm, 'modelFolder'),
    chooseText: () => choosePath(textForm, 'textFile'),
  }
})
