/** Filter and order of the feature list as the query part of the address, so that a link shows the same list. */
import { FeatureFilter, FeatureSort } from '../../../shared/domain'

export type ListQuery = { filter: FeatureFilter; sort: FeatureSort; descending: boolean }

/** Names in the address, where they are shorter than those of the filter. */
const NAMES: Partial<Record<keyof FeatureFilter, string>> = {
  tagIds: 'tags',
  listIds: 'lists',
  minDensity: 'min',
  maxDensity: 'max',
}
const KEYS = Object.keys(FeatureFilter.shape) as (keyof FeatureFilter)[]
const nameOf = (key: keyof FeatureFilter) => NAMES[key] ?? key

/** Only what differs from the plain list is written. */
export function toQuery({ filter, sort, descending }: ListQuery): Record<string, string> {
  const plain = FeatureFilter.parse({})
  const entries = KEYS.flatMap((key) => {
    const text = Array.isArray(filter[key]) ? filter[key].join(',') : String(filter[key])
    return filter[key] === plain[key] || text === '' ? [] : [[nameOf(key), text] as const]
  })
  return {
    ...Object.fromEntries(entries),
    ...(sort !== 'index' && { sort }),
    ...(descending && { order: 'descending' }),
  }
}

/** What a text in the address may stand for, as the filter wants it. */
function candidates(key: keyof FeatureFilter, text: string): unknown[] {
  if (key === 'tagIds' || key === 'listIds') {
    const ids = text.split(',').map(Number)
    return [ids.filter((id) => Number.isInteger(id) && id > 0).slice(0, 50)]
  }
  return [text.slice(0, 200), text === '' ? NaN : Number(text)]
}

/** Reads what it can; anything else falls back to the plain list, field by field. */
export function fromQuery(query: Record<string, unknown>): ListQuery {
  const entries = KEYS.flatMap((key) => {
    const text = query[nameOf(key)]
    if (typeof text !== 'string') return []
    const read = candidates(key, text).map((value) => FeatureFilter.shape[key].safeParse(value))
    return read.flatMap((one) => (one.success ? [[key, one.data] as const] : [])).slice(0, 1)
  })
  const sort = FeatureSort.safeParse(query.sort)
  return {
    filter: FeatureFilter.parse(Object.fromEntries(entries)),
    sort: sort.success ? sort.data : 'index',
    descending: query.order === 'descending',
  }
}
