/** Two features beside each other: what is known of each, and what they do where the other fires. */
import { defineStore } from 'pinia'
import { shallowRef, type ShallowRef } from 'vue'
import type { Comparison, FeatureDetail } from '../../../../shared/domain'
import { client } from '../../../app/client'
import { useLatestQuestion } from '../../../app/latest-question'
import type { Place } from '../feature-changes'

export type Side = { place: Place; detail: FeatureDetail | null; error: unknown }

const isSame = (a: Place, b: Place) => a.saeId === b.saeId && a.featureIndex === b.featureIndex

/** Reads one side; what is known of the same feature stays until there is news. */
async function read(side: ShallowRef<Side | null>, place: Place): Promise<void> {
  const known = side.value && isSame(side.value.place, place) ? side.value.detail : null
  const own: Side = { place, detail: known, error: null }
  side.value = own
  const found = await client.call('features.get', { ...place }).then(
    (detail) => ({ ...own, detail }),
    (failure: unknown) => ({ ...own, detail: null, error: failure }),
  )
  // Another feature may have been asked for since.
  if (side.value === own) side.value = found
}

export const useComparison = defineStore('comparison', () => {
  const one = shallowRef<Side | null>(null)
  const other = shallowRef<Side | null>(null)
  const { answer, error, ask, clear } = useLatestQuestion<Comparison>()

  /** Opens one feature beside another, or alone until another is chosen. */
  async function open(first: Place, second: Place | null): Promise<void> {
    clear()
    if (!second) {
      other.value = null
      return read(one, first)
    }
    await Promise.all([
      read(one, first),
      read(other, second),
      ask((signal) => client.call('features.compare', { one: { ...first }, other: { ...second } }, signal)),
    ])
  }

  return { one, other, answer, error, open, stop: clear }
})
