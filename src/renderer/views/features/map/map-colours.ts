/** Colours of the points of a map by what was chosen. */
import type { FeatureMap, Tag } from '../../../../shared/domain'
import { byGroup, byLogarithm, byMembership, type Coloured } from '../../../charts/point-colours'

export type ColourBy = 'density' | 'cluster' | 'tag'

/** @param tag the one that is coloured, with the features that carry it; none while there is no tag */
export function colourMap(
  map: FeatureMap,
  by: ColourBy,
  tag: { tag: Tag | null; members: ReadonlySet<number> },
): Coloured {
  if (by === 'cluster') return byGroup(map.clusters)
  if (by === 'density') return byLogarithm(map.densities)
  return byMembership(map.features, tag.tag ? tag.members : new Set(), `--cat-${tag.tag?.color ?? 1}`)
}
