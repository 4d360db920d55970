/** What a person may type or paste to go to a place: the number of a feature, a copied reference, or an address of any host. */
import type { Sae } from '../../shared/domain'

export type FoundPlace = { path: string; feature: { index: number; sae: Sae } | null }

const featureOf = (sae: Sae | null | undefined, index: number): FoundPlace | null =>
  sae && index < sae.dSae ? { path: `/features/${sae.id}/${index}`, feature: { index, sae } } : null

/**
 * Where a text leads; null for what is no place.
 * @param saes newest first: of several with one name the newest counts
 * @param current whose feature a plain number means
 */
export function placeIn(text: string, saes: readonly Sae[], current: Sae | null): FoundPlace | null {
  const words = text.trim()
  if (/^\d{1,9}$/.test(words)) return featureOf(current, Number(words))
  const address = /#(\/\S*)$/.exec(words)?.[1]
  if (address !== undefined) return { path: address, feature: null }
  const [, name, index] = /^(.+)\/(\d{1,9})$/.exec(words) ?? []
  if (name === undefined) return null
  const named = saes.find((sae) => `${sae.modelName}/${sae.hookName}/${sae.name}` === name)
  return featureOf(named, Number(index))
}
