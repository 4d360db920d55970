/** Addresses of features and of comparisons. */
import type { Place } from './feature-changes'

export const featureAddress = ({ saeId, featureIndex }: Place): string => `/features/${saeId}/${featureIndex}`

/** Of one feature beside another; without another, of the page where it is chosen. */
export const compareAddress = (one: Place, other: Place | null = null): string =>
  `${featureAddress(one)}/with${other ? `/${other.saeId}/${other.featureIndex}` : ''}`
