/** The map of the features of one autoencoder: read, made, coloured by a tag, and put into lists. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { FeatureMap } from '../../../../shared/domain'
import { useAttempt } from '../../../app/attempt'
import { client } from '../../../app/client'
import { useText } from '../../../app/i18n'
import { useLatestJob } from '../../../app/latest-job'
import { useUndo } from '../../../app/undo.store'
import { useNames, useSurroundings } from './map-surroundings'

/** As many features as one call takes. */
const MOST_LISTED = 10_000

function inParts<T>(all: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, part) => all.slice(part * most, (part + 1) * most))
}

/** Puts features into a list of that name, which can be taken back. */
function listChanges(saeId: Readonly<{ value: number | null }>, loadNames: () => Promise<void>) {
  const { did } = useUndo()
  const { t } = useText()

  return async (featureIndexes: readonly number[], name: string): Promise<void> => {
    const own = saeId.value
    if (own === null) return
    const added: number[] = []
    let listId = 0
    for (const part of inParts(featureIndexes, MOST_LISTED)) {
      const answer = await client.call('lists.put', { saeId: own, featureIndexes: part, name })
      listId = answer.id
      added.push(...answer.added)
    }
    await loadNames()
    if (added.length === 0) return
    const undo = async () => {
      for (const part of inParts(added, MOST_LISTED)) {
        await client.call('lists.take', { saeId: own, featureIndexes: part, listId })
      }
      await loadNames()
    }
    did({ text: t('features.undo.listMany', { name, count: added.length }), undo })
  }
}

export const useFeatureMap = defineStore('feature-map', () => {
  const saeId = ref<number | null>(null)
  const map = shallowRef<FeatureMap | null>(null)
  const isLoaded = ref(false)
  const isBusy = ref(false)
  const { error, attempt } = useAttempt(saeId)
  const { names, ensure, forget } = useNames()
  const around = useSurroundings(saeId)
  const putIntoList = listChanges(saeId, around.loadNames)

  const load = () =>
    attempt(async (own) => {
      const [found] = await Promise.all([client.call('map.get', { saeId: own }), around.loadNames()])
      if (own !== saeId.value) return
      // The same map keeps its view and its selection.
      if (found?.createdAt !== map.value?.createdAt || found?.saeId !== map.value?.saeId) map.value = found
    })

  /** Shows the map of one autoencoder, reading it anew. */
  async function open(id: number): Promise<void> {
    if (saeId.value !== id) {
      saeId.value = id
      map.value = null
      around.forget()
      isLoaded.value = false
      forget()
    }
    await load()
    isLoaded.value = true
  }

  async function start(): Promise<void> {
    isBusy.value = true
    await attempt((own) => client.call('map.start', { saeId: own }))
    isBusy.value = false
  }

  const cancel = (jobId: number) => attempt(() => client.call('jobs.cancel', { jobId }))
  const addToList = (featureIndexes: readonly number[], name: string) =>
    attempt(() => putIntoList(featureIndexes, name))
  const nameFeatures = (featureIndexes: readonly number[]) => attempt((own) => ensure(own, featureIndexes))
  const colourByTag = (tagId: number) => attempt((own) => around.loadTagged(own, tagId))
  const lookAt = (featureIndex: number | null) => attempt((own) => around.loadCentre(own, featureIndex))
  const { tags, lists, tagged, centre } = around
  const shown = {
    saeId,
    map,
    isLoaded,
    isBusy,
    error,
    ...useLatestJob('map', () => saeId.value),
    names,
    tags,
    lists,
    tagged,
    centre,
  }
  return { ...shown, open, start, cancel, addToList, nameFeatures, colourByTag, lookAt }
})
