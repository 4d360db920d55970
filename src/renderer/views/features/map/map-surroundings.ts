/** What a map is shown with: names of features, tags and lists, the features of one tag, and the one that is looked at. */
import { shallowRef } from 'vue'
import type { CountedTag, FeatureDetail, NamedFeature } from '../../../../shared/domain'
import { client } from '../../../app/client'
import type { CountedList } from '../features.store'

/** As many features as one call names. */
const MOST_NAMED = 500

/** Names of features, asked for once. */
export function useNames() {
  const names = shallowRef<ReadonlyMap<number, NamedFeature>>(new Map())
  let forgotten = 0

  async function ensure(saeId: number, featureIndexes: readonly number[]): Promise<void> {
    const missing = featureIndexes.filter((index) => !names.value.has(index)).slice(0, MOST_NAMED)
    if (missing.length === 0) return
    const own = forgotten
    const found = await client.call('features.named', { saeId, featureIndexes: missing })
    // Else these are names of another autoencoder.
    if (own === forgotten)
      names.value = new Map([...names.value, ...found.map((one) => [one.featureIndex, one] as const)])
  }
  function forget(): void {
    forgotten++
    names.value = new Map()
  }
  return { names, ensure, forget }
}

/** What a map is shown with beside its points. */
export function useSurroundings(saeId: Readonly<{ value: number | null }>) {
  const tags = shallowRef<CountedTag[]>([])
  const lists = shallowRef<CountedList[]>([])
  /** Features with the tag that was asked for last. */
  const tagged = shallowRef<ReadonlySet<number>>(new Set())
  /** The feature whose neighbourhood is shown. */
  const centre = shallowRef<FeatureDetail | null>(null)

  async function loadNames(): Promise<void> {
    const own = saeId.value
    if (own === null) return
    const answers = await Promise.all([
      client.call('tags.list', { saeId: own }),
      client.call('lists.all', { saeId: own }),
    ])
    if (own === saeId.value) [tags.value, lists.value] = answers
  }

  async function loadTagged(own: number, tagId: number): Promise<void> {
    const { featureIndexes } = await client.call('tags.features', { saeId: own, tagId })
    if (own === saeId.value) tagged.value = new Set(featureIndexes)
  }

  async function loadCentre(own: number, featureIndex: number | null): Promise<void> {
    const found = featureIndex === null ? null : await client.call('features.get', { saeId: own, featureIndex })
    if (own === saeId.value) centre.value = found
  }

  function forget(): void {
    tagged.value = new Set()
    centre.value = null
  }
  return { tags, lists, tagged, centre, loadNames, loadTagged, loadCentre, forget }
}
