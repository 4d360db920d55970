/** Addresses of features and of comparisons. */
import type { Place } from './compare.store'

/** What the two sides of a comparison are called: their numbers may be the same in two autoencoders. */
export const SIDE_LETTERS = ['A', 'B'] as const
export type SideLetter = (typeof SIDE_LETTERS)[number]

export const featureAddress = ({ saeId, featureIndex }: Place): string => `/features/${saeId}/${featureIndex}`

/** Of one feature beside another; without another, of the page where it is chosen. */
export const compareAddress = (one: Place, other: Place | null = null): string =>
  `${featureAddress(one)}/with${other ? `/${other.saeId}/${other.featureIndex}` : ''}`
