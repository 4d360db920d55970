/**
 * Makes a new database out of a damaged one: what can be read of it, and what the newest copy of written things adds. The damaged file is
 * kept under another name, byte for byte. Atlases are not taken over: they are made again from the files.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors'
import { damageIn, keepAside, missingBesideDamaged, openDb, type Db } from './db'
import { peopleCopies, readPeopleCopy } from './people-copy'
import { HISTORY_TABLES, PEOPLE_TABLES } from './people-tables'

export type Repaired = {
  /** Where the damaged file lies now; null where it had been put aside before. */
  keptAs: string | null
  /** Rows taken over by table, those of the copy included. */
  rows: Record<string, number>
  /** Rows that only the copy had. */
  fromCopy: number
  copy: string | null
}

type Row = Record<string, unknown>
type Insert = (row: Row) => boolean

const TABLES = [...PEOPLE_TABLES, ...HISTORY_TABLES]

/** Puts one row into a table: only columns that both know; a row that is there already stays. */
function inserter(db: Db, table: string): Insert {
  const known = new Set(db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table))
  return (row) => {
    const columns = Object.keys(row).filter((column) => known.has(column))
    if (columns.length === 0) return false
    const marks = columns.map(() => '?').join(', ')
    const insert = db.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`)
    try {
      return insert.run(columns.map((column) => row[column])).changes > 0
    } catch (error) {
      // A row that the damage has changed breaks a rule of the table.
      if (error instanceof Database.SqliteError) return false
      throw error
    }
  }
}

/** Rows of a damaged table in one direction, until the damage. */
function readUntilDamage(damaged: Db, sql: string, insert: Insert): number {
  let taken = 0
  try {
    for (const row of damaged.prepare<[], Row>(sql).iterate()) if (insert(row)) taken += 1
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
  }
  return taken
}

/** Reads from both ends, so that one damaged page costs only what lies on it. */
function takeTable(damaged: Db, { table, hasRowid }: { table: string; hasRowid: boolean }, insert: Insert): number {
  const forward = readUntilDamage(damaged, `SELECT * FROM ${table}`, insert)
  const order = hasRowid ? 'rowid DESC' : '1 DESC, 2 DESC'
  return forward + readUntilDamage(damaged, `SELECT * FROM ${table} NOT INDEXED ORDER BY ${order}`, insert)
}

function openDamaged(path: string): Db | null {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true })
    db.pragma('user_version')
    return db
  } catch {
    return null
  }
}

function fill(fresh: Db, damagedPath: string, copy: string | null): Pick<Repaired, 'rows' | 'fromCopy'> {
  const rows: Record<string, number> = {}
  const inserts = new Map<string, Insert>(TABLES.map((table) => [table, inserter(fresh, table)]))
  const damaged = openDamaged(damagedPath)
  const withoutRowid = fresh.prepare<[string], number>('SELECT wr FROM pragma_table_list WHERE name = ?').pluck()
  for (const [table, insert] of inserts) {
    rows[table] = damaged ? takeTable(damaged, { table, hasRowid: withoutRowid.get(table) === 0 }, insert) : 0
  }
  damaged?.close()
  let fromCopy = 0
  for (const { table, row } of copy === null ? [] : readPeopleCopy(copy)) {
    if (inserts.get(table)?.(row) !== true) continue
    rows[table] = (rows[table] ?? 0) + 1
    fromCopy += 1
  }
  return { rows, fromCopy }
}

/**
 * Repairs the database of a workspace that nobody has open.
 * @throws AppError `workspace-sound` when nothing is wrong with it, `workspace-unwritable`, `disk-full`
 */
export function repairDatabase({ path, backups }: { path: string; backups: string }): Repaired {
  const aside = missingBesideDamaged(path)
  if (aside === null && (!existsSync(path) || damageIn(path) === null)) throw new AppError('workspace-sound', { path })
  const part = `${path}.repaired.part`
  for (const suffix of ['', '-wal', '-shm']) rmSync(part + suffix, { force: true })
  const fresh = openDb({ path: part, backups })
  const copy = peopleCopies(backups)[0] ?? null
  fresh.pragma('foreign_keys = OFF')
  const filled = fresh.transaction(() => fill(fresh, aside ?? path, copy))()
  fresh.pragma('wal_checkpoint(TRUNCATE)')
  fresh.close()
  const keptAs = aside === null ? keepAside(path) : null
  renameSync(part, path)
  return { keptAs, copy, ...filled }
}
