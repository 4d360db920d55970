/** Filter and order of the feature list as the query part of the address, so that a link shows the same list. */
import { FeatureFilter, FeatureSort } from '../../../shared/domain'

export type ListQuery = { filter: FeatureFilter; sort: FeatureSort; descending: boolean }

const orNothing = <T>(value: T, fallback: T): T | undefined => (value === fallback ? undefined : value)

/** Only what differs from the plain list is written. */
export function toQuery({ filter, sort, descending }: ListQuery): Record<string, string> {
  const entries = {
    text: filter.text || undefined,
    state: orNothing(filter.state, 'any'),
    labelled: orNothing(filter.labelled, 'any'),
    tags: filter.tagIds.join(',') || undefined,
    min: filter.minDensity?.toString(),
    max: filter.maxDensity?.toString(),
    sort: orNothing(sort, 'index'),
    order: descending ? 'descending' : undefined,
  }
  return Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

const numberOrNull = (text: unknown): number | null => {
  const value = typeof text === 'string' && text !== '' ? Number(text) : NaN
  return value >= 0 && value <= 1 ? value : null
}

/** Reads what it can; anything else falls back to the plain list, field by field. */
export function fromQuery(query: Record<string, unknown>): ListQuery {
  const state = FeatureFilter.shape.state.safeParse(query.state)
  const labelled = FeatureFilter.shape.labelled.safeParse(query.labelled)
  const sort = FeatureSort.safeParse(query.sort)
  const tagIds = typeof query.tags === 'string' ? query.tags.split(',').map(Number) : []
  return {
    filter: {
      text: typeof query.text === 'string' ? query.text.slice(0, 200) : '',
      state: state.success ? state.data : 'any',
      labelled: labelled.success ? labelled.data : 'any',
      tagIds: tagIds.filter((id) => Number.isInteger(id) && id > 0).slice(0, 50),
      minDensity: numberOrNull(query.min),
      maxDensity: numberOrNull(query.max),
    },
    sort: sort.success ? sort.data : 'index',
    descending: query.order === 'descending',
  }
}
