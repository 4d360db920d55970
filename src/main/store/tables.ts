/** Column types of the tables that are queried with a changing filter, and the builder for those queries. */
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type Compilable } from 'kysely'
import type { Db } from './db'

export type Tables = {
  feature: {
    atlas_id: number
    feature_index: number
    fired_tokens: number
    density: number
    max_activation: number
    mean_activation: number
    top_token: string | null
    label: string | null
    marks: number
  }
  label: { id: number; sae_id: number; feature_index: number; chosen: number }
  feature_tag: { sae_id: number; feature_index: number; tag_id: number }
  tag: { id: number; name: string; color: number }
}

/** Builds typed SQL and never executes it: better-sqlite3 does, synchronously. */
export const queries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** All rows of a built query. */
export function all<Row>(db: Db, query: Compilable<Row>): Row[] {
  const { sql, parameters } = query.compile()
  return db.prepare<unknown[], Row>(sql).all(...parameters)
}
