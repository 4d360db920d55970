/** The filter of a feature list as SQL. Every figure it looks at is in each index of `feature`, see migration 0005. */
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import { sql } from 'kysely'
import type { FeatureFilter } from '../../shared/domain'
import { folded } from '../../shared/folding'
import type { Db } from './db'
import { quoted, wordQuery } from './search-text'
import type { Tables } from './tables'

/** Bits of `feature.marks`; above them is the score of the chosen label, plus one. */
const MARKS = { labelled: 1, tagged: 2, flagged: 4 } as const
const SCORE_UNIT = 8

/** The score of the chosen label that `feature.marks` says, or null. */
export const scoreOf = (marks: number): number | null =>
  marks >= SCORE_UNIT ? Math.floor(marks / SCORE_UNIT) - 1 : null

/** Features that are looked at one by one, at most. */
export const MANY = 12_000
/** Shortest text that an index of trigrams finds. */
const TRIGRAM = 3

type Source = { saeId: number; atlasId: number; filter: FeatureFilter }
type Condition = ExpressionWrapper<Tables, 'feature', SqlBool>
type Builder = ExpressionBuilder<Tables, 'feature'>

/** Whether nothing is left out. */
export const isOpen = (filter: FeatureFilter): boolean =>
  Object.values(filter).every((value) => value === null || value === 'any' || value === '' || isEmpty(value))

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0

const FIGURES = [
  { column: 'density', box: 'density', min: 'minDensity', max: 'maxDensity' },
  { column: 'max_activation', box: 'max', min: 'minMax', max: 'maxMax' },
  { column: 'mean_activation', box: 'mean', min: 'minMean', max: 'maxMean' },
] as const

/**
 * The plus keeps SQLite from reading along the index of a filtered column and sorting what it finds: every index has all the figures, so
 * reading along the one of the order is never slower than one pass over it, and mostly stops at the first page.
 * @param along the column of the order, which its index may begin and end by
 */
function ranges(eb: Builder, filter: FeatureFilter, along: string | null): Condition[] {
  const found = FIGURES.flatMap(({ column, min, max }) => {
    const figure = column === along ? sql.ref<number>(column) : sql<number>`+${sql.ref(column)}`
    const [least, most] = [filter[min], filter[max]]
    return [...(least === null ? [] : [eb(figure, '>=', least)]), ...(most === null ? [] : [eb(figure, '<=', most)])]
  })
  // A feature is silent when its largest activation is 0.
  const alive = eb(
    along === 'max_activation' ? 'max_activation' : sql<number>`+max_activation`,
    filter.state === 'alive' ? '>' : '=',
    0,
  )
  return filter.state === 'any' ? found : [...found, alive]
}

/** The conditions that the columns of `feature` answer. */
function columns(eb: Builder, filter: FeatureFilter, along: string | null): Condition[] {
  const marks = (['labelled', 'tagged', 'flagged'] as const).flatMap((name) => {
    if (filter[name] === 'any') return []
    return [eb(sql<number>`marks & ${sql.lit(MARKS[name])}`, '=', filter[name] === 'yes' ? MARKS[name] : 0)]
  })
  const score = filter.minScore === null ? [] : [eb('marks', '>=', sql.lit(SCORE_UNIT * (filter.minScore + 1)))]
  return [...ranges(eb, filter, along), ...marks, ...score]
}

/** What the parts of a filter ask, taken away. */
const PARTS_OPEN = {
  ...{ text: '', contexts: '', tagIds: [], listIds: [], minDensity: null, maxDensity: null },
  ...{ minMax: null, maxMax: null, minMean: null, maxMean: null },
}

/** One part of a filter that another table answers: all features of it up to a number, and the same as a condition on each row. */
type Part = { read: (most: number) => number[]; condition: (eb: Builder) => Condition }

const first = (group: number) => BigInt(group) << 32n
const last = (group: number) => first(group) + 0xffffffffn

/** Features of the rows group * 2^32 + feature of an index of texts, in ascending order. */
function matching(db: Db, at: { table: 'label_text' | 'context_text'; query: string; group: number }): Part {
  const rows = `FROM ${at.table} WHERE ${at.table} MATCH ? AND rowid BETWEEN ? AND ?`
  const reading = db.prepare<[string, bigint, bigint, number], number>(
    `SELECT rowid & 4294967295 ${rows} ORDER BY rowid LIMIT ?`,
  )
  const { table, query, group } = at
  return {
    read: (most) => reading.pluck().all(query, first(group), last(group), most),
    condition: (eb) =>
      eb(
        'feature_index',
        'in',
        sql<number>`(SELECT rowid & 4294967295 FROM ${sql.table(table)}
          WHERE ${sql.table(table)} MATCH ${query} AND rowid BETWEEN ${first(group)} AND ${last(group)})`,
      ),
  }
}

function labelContains(db: Db, { saeId, atlasId, filter }: Source): Part {
  const text = folded(filter.text.trim())
  const condition = (eb: Builder) =>
    eb.and([eb('label', 'is not', null), eb(sql<number>`instr(folded(label), ${text})`, '>', sql.lit(0))])
  if (Array.from(text).length >= TRIGRAM) {
    return { ...matching(db, { table: 'label_text', query: quoted(text), group: saeId }), condition }
  }
  const reading = db.prepare<[number, string, number], number>(
    `SELECT feature_index FROM feature WHERE atlas_id = ? AND label IS NOT NULL AND instr(folded(label), ?) > 0 LIMIT ?`,
  )
  return { read: (most) => reading.pluck().all(atlasId, text, most), condition }
}

type Membership = { table: 'feature_tag' | 'list_feature'; column: 'tag_id' | 'list_id'; id: number; saeId: number }

/** Whether a tag or a list holds the feature. */
function isMember(db: Db, { table, column, id, saeId }: Membership): Part {
  const reading = db.prepare<[number, number, number], number>(
    `SELECT feature_index FROM ${table} WHERE ${column} = ? AND sae_id = ? LIMIT ?`,
  )
  return {
    read: (most) => reading.pluck().all(id, saeId, most),
    condition: (eb) =>
      eb.exists(
        sql<number>`(SELECT 1 FROM ${sql.table(table)} AS member WHERE ${sql.ref(`member.${column}`)} = ${id}
          AND member.sae_id = ${saeId} AND member.feature_index = feature.feature_index)`,
      ),
  }
}

/** Features in the box of several ranges. Its sides are rounded outwards, so the columns are still asked. */
function inBox(db: Db, { atlasId, filter }: Source): Part | null {
  const sides = FIGURES.flatMap(({ box, min, max }) => [
    ...(filter[min] === null ? [] : [{ side: `${box}_ >= ?`, value: filter[min] }]),
    ...(filter[max] === null ? [] : [{ side: `${box} <= ?`, value: filter[max] }]),
  ])
  if (sides.length === 0) return null
  const reading = db.prepare<number[], number>(
    `SELECT id & 4294967295 FROM feature_box WHERE atlas = ? AND ${sides.map(({ side }) => side).join(' AND ')} LIMIT ?`,
  )
  return {
    read: (most) => reading.pluck().all(atlasId, ...sides.map(({ value }) => value), most),
    // Which the columns say in any case.
    condition: (eb) => eb.and([]),
  }
}

function partsOf(db: Db, source: Source): Part[] | null {
  const { saeId, atlasId, filter } = source
  const parts: Part[] = [
    ...filter.tagIds.map((id) => isMember(db, { table: 'feature_tag', column: 'tag_id', id, saeId })),
    ...filter.listIds.map((id) => isMember(db, { table: 'list_feature', column: 'list_id', id, saeId })),
  ]
  if (filter.text.trim() !== '') parts.push(labelContains(db, source))
  if (filter.contexts.trim() !== '') {
    const query = wordQuery(filter.contexts)
    if (query === null) return null
    parts.push(matching(db, { table: 'context_text', query, group: atlasId }))
  }
  const box = inBox(db, source)
  return box ? [...parts, box] : parts
}

/** A filter, ready to be asked. */
export type Plan = {
  /** Where some part of it leaves few features: those, to look at one by one. */
  few: number[] | null
  /** Whether `few` are all that match, since nothing else is asked for. */
  isExact: boolean
  /** Whether some ten thousand match at least, without counting them. */
  isMany: boolean
  /** The condition on a row of `feature`: of all, or of the few. */
  matches: (eb: Builder, along?: string) => Condition
}

/**
 * Looks up what other tables say first: where that leaves few features they are looked at one by one, in any order; parts that leave
 * many become conditions on rows read along the index of the order, which then finds a page soon.
 */
export function planFilter(db: Db, source: Source): Plan {
  const { atlasId, filter } = source
  const parts = partsOf(db, source)
  let few: number[] | null = parts === null ? [] : null
  const wide: Part[] = []
  for (const part of parts ?? []) {
    const found = part.read(MANY + 1)
    if (found.length > MANY) wide.push(part)
    else if (few === null) few = found
    else {
      const known = new Set(found)
      few = few.filter((index) => known.has(index))
    }
  }
  const isExact = wide.length === 0 && isOpen({ ...filter, text: '', contexts: '', tagIds: [], listIds: [] })
  // One part that leaves many, and nothing else: a box rounds its sides outwards, but not by thousands of features.
  const isMany = few === null && parts?.length === 1 && wide.length === 1 && isOpen({ ...filter, ...PARTS_OPEN })
  const matches = (eb: Builder, along?: string) =>
    eb.and([
      eb('atlas_id', '=', atlasId),
      ...columns(eb, filter, along ?? null),
      ...wide.map(({ condition }) => condition(eb)),
    ])
  return { few, isExact, isMany, matches }
}
