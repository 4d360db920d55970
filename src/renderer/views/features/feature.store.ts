/** One feature's page: its detail, and changes to labels, tags and safety flags. Unsaved label texts outlive navigation. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, type Ref } from 'vue'
import type { FeatureDetail, FeatureList, SafetyCategory, Tag } from '../../../shared/domain'
import { client } from '../../app/client'
import { featureChanges, type Change, type Place } from './feature-changes'

const keyOf = (place: Place) => `${place.saeId}/${place.featureIndex}`

/** Label texts typed and not saved, by feature. */
function useDrafts(at: Ref<Place | null>) {
  const drafts = reactive(new Map<string, string>())
  const draft = computed({
    get: () => (at.value ? drafts.get(keyOf(at.value)) : undefined),
    set: (text: string | undefined) => {
      if (!at.value) return
      if (text === undefined) drafts.delete(keyOf(at.value))
      else drafts.set(keyOf(at.value), text)
    },
  })
  return { draft, drop: (place: Place) => drafts.delete(keyOf(place)) }
}

const safetyChanges = (change: Change) => ({
  assign: (category: SafetyCategory, reason: string) =>
    change((place) => client.call('safety.assign', { ...place, category, reason })),
  removeFlag: (flagId: number) => change(() => client.call('safety.remove', { flagId })),
})

export const useFeature = defineStore('feature', () => {
  const at = ref<Place | null>(null)
  const detail = shallowRef<FeatureDetail | null>(null)
  const error = shallowRef<unknown>(null)
  /** Failure of the last change; shown beside the detail, which stays. */
  const changeError = shallowRef<unknown>(null)
  const knownTags = shallowRef<Tag[]>([])
  const knownLists = shallowRef<FeatureList[]>([])
  const { draft, drop } = useDrafts(at)

  async function fetchDetail(): Promise<void> {
    const own = at.value
    if (!own) return
    try {
      const answer = await client.call('features.get', { ...own })
      // A slow answer must not cover the feature that was opened after it.
      if (own !== at.value) return
      detail.value = answer
      error.value = null
    } catch (failure) {
      if (own === at.value) error.value = failure
    }
  }

  /** Names for the fields; without them a tag or a list can still be typed. */
  async function loadNames(saeId: number): Promise<void> {
    knownTags.value = await client.call('tags.list', { saeId }).catch(() => [])
    knownLists.value = await client.call('lists.all', { saeId }).catch(() => [])
  }

  async function open(saeId: number, featureIndex: number): Promise<void> {
    at.value = { saeId, featureIndex }
    changeError.value = null
    error.value = null
    if (detail.value?.saeId !== saeId || detail.value.featureIndex !== featureIndex) detail.value = null
    await Promise.all([fetchDetail(), loadNames(saeId)])
  }

  const change: Change = async (work) => {
    const place = at.value
    if (!place) return false
    try {
      await work({ ...place })
      changeError.value = null
      if (place === at.value) await fetchDetail()
      return true
    } catch (failure) {
      if (place === at.value) changeError.value = failure
      return false
    }
  }

  const changes = featureChanges({ change, detail, refresh: fetchDetail, loadNames, drop })
  return {
    ...{ at, detail, error, changeError, knownTags, knownLists, draft },
    ...{ open, refresh: fetchDetail, ...changes, ...safetyChanges(change) },
  }
})
