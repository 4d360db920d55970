/** Orders of the feature list, and its pages, read along the indexes of the table. */
import { sql, type Compilable, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool } from 'kysely'
import type { FeatureFilter, FeatureSort } from '../../shared/domain'
import type { Db } from './db'
import { isOpen, type Plan } from './feature-filter'
import { all, queries, type Tables } from './tables'

export type FeatureQuery = {
  saeId: number
  filter: FeatureFilter
  sort: FeatureSort
  descending: boolean
  offset: number
  limit: number
}

type Order = Pick<FeatureQuery, 'sort' | 'descending'>
type Direction = 'asc' | 'desc'
/** `count` is null where it is not known. */
type Cut = Pick<FeatureQuery, 'descending' | 'offset' | 'limit'> & { count: number | null }
type Ordered = SelectQueryBuilder<Tables, 'feature', { feature_index: number }>

/**
 * Orders that only some features have a place in. The others come after them by number, in either direction; `has` and `by` are those of
 * the index of the order.
 */
const RANKED = {
  label: { has: sql<SqlBool>`label IS NOT NULL`, lacks: sql<SqlBool>`label IS NULL`, by: sql`label` },
  score: { has: sql<SqlBool>`marks >= 8`, lacks: sql<SqlBool>`marks < 8`, by: sql`marks >> 3` },
} as const

const COLUMNS = { density: 'density', max: 'max_activation', mean: 'mean_activation' } as const

/** Features that match a filter, counted no further than `most`. */
export function counted(db: Db, plan: Plan, most = Number.MAX_SAFE_INTEGER): number {
  if (plan.few && plan.isExact) return plan.few.length
  const all = queries.selectFrom('feature').select('feature_index').where(plan.matches)
  const found = plan.few ? among(plan.few, plan) : all
  const { sql: inner, parameters } = found.limit(most).compile()
  const counting = db.prepare<unknown[], number>(`SELECT count(*) FROM (${inner})`)
  return counting.pluck().get(...parameters) ?? 0
}

/**
 * One page of a list, read along the index of its order, equal ones by number in the same direction: an index is read either way.
 * @param query `total` features there are; known to match when nothing is filtered
 */
export function readPage(db: Db, plan: Plan, query: FeatureQuery & { total: number }): number[] {
  const { filter, sort, limit, offset, total } = query
  const known = isOpen(filter) ? total : null
  const ranked = sort === 'label' || sort === 'score' ? RANKED[sort] : null
  const along = sort === 'index' || sort === 'label' || sort === 'score' ? undefined : COLUMNS[sort]
  const base = queries
    .selectFrom('feature')
    .select('feature_index')
    .where((eb) => plan.matches(eb, along))
  if (!ranked) {
    const ordered = (to: Direction) => (along ? base.orderBy(along, to) : base).orderBy('feature_index', to)
    return stretch(db, ordered, { ...query, count: known })
  }
  const some = (to: Direction) => base.where(ranked.has).orderBy(ranked.by, to).orderBy('feature_index', to)
  // Without a label there is neither name nor score.
  const first = filter.labelled === 'no' ? [] : stretch(db, some, { ...query, count: null })
  const isAll = sort === 'label' ? filter.labelled === 'yes' : filter.minScore !== null
  if (first.length === limit || isAll) return first
  const hasPlace = (eb: ExpressionBuilder<Tables, 'feature'>) => eb.and([plan.matches(eb), ranked.has])
  const before = first.length > 0 || offset === 0 ? offset + first.length : counted(db, { ...plan, matches: hasPlace })
  const rest = (to: Direction) => base.where(ranked.lacks).orderBy('feature_index', to)
  const left = { offset: Math.max(0, offset - before), limit: limit - first.length }
  return [...first, ...stretch(db, rest, { ...query, ...left, count: known === null ? null : known - before })]
}

/** Rows [offset, offset + limit) of an order, read from its nearer end where it is known how many there are. */
function stretch(
  db: Db,
  ordered: (direction: Direction) => Ordered,
  { descending, offset, limit, count }: Cut,
): number[] {
  const [there, back] = descending ? (['desc', 'asc'] as const) : (['asc', 'desc'] as const)
  if (count === null || offset < count / 2) return indexesOf(db, ordered(there).limit(limit).offset(offset))
  const few = Math.min(limit, count - offset)
  if (few <= 0) return []
  const skipped = count - offset - few
  return indexesOf(db, ordered(back).limit(few).offset(skipped)).reverse()
}

/** Those of some features that match a filter, in its order. */
export function among(few: readonly number[], plan: Plan, order: Order = { sort: 'index', descending: false }) {
  const wanted = sql<{ value: number }>`json_each(${JSON.stringify(few)})`.as('wanted')
  // CROSS JOIN makes SQLite walk the few wanted features, not all of them.
  const found = queries
    .selectFrom(wanted)
    .crossJoin('feature')
    .select('feature_index')
    .whereRef('feature_index', '=', 'wanted.value')
    .where(plan.matches)
  const direction = order.descending ? 'desc' : 'asc'
  let ordered = found
  if (order.sort === 'label' || order.sort === 'score') {
    const { lacks, by } = RANKED[order.sort]
    ordered = found.orderBy(lacks).orderBy(by, direction)
  } else if (order.sort !== 'index') ordered = found.orderBy(COLUMNS[order.sort], direction)
  return ordered.orderBy('feature_index', direction)
}

export const indexesOf = (db: Db, query: Compilable<{ feature_index: number }>): number[] =>
  all(db, query).map((row) => row.feature_index)
