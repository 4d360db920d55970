/** Opens the workspace's SQLite file: settings, a check after an unclean exit, migrations; a damaged file is refused as it is. */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors'
import { composed, folded } from '../../shared/folding'
import { MIGRATIONS, migrate } from './migrate'

export type Db = Database.Database

export type OpenDbOptions = { path: string; backups: string; migrations?: readonly string[] }

/**
 * Opens or makes the database.
 * @throws AppError `workspace-damaged` (the file stays as it is, see repair.ts), `workspace-too-new`, `migration-failed`
 */
export function openDb({ path, backups, migrations = MIGRATIONS }: OpenDbOptions): Db {
  // SQLite removes the write-ahead log when the last connection closes, so one that is there means a killed process.
  const isUnclean = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
  const aside = missingBesideDamaged(path)
  if (aside !== null) {
    // An empty database here would number its runs from 1 and write over those of the damaged one.
    const reason = `it is missing, and beside it lies ${basename(aside)}`
    throw new AppError('workspace-damaged', { path, reason })
  }
  let db: Db | undefined
  try {
    db = new Database(path, { timeout: 5000 })
    db.pragma('journal_mode = WAL')
    // A label that was acknowledged survives a power cut: in WAL mode only FULL syncs the log at every commit.
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // Lists of a million features are read along one index: 64 MB of pages, and what the system has of the rest.
    db.pragma('cache_size = -65536')
    db.pragma('mmap_size = 1073741824')
    // Of shared/folding.ts, for comparing and finding names and labels; SQLite itself folds ASCII only.
    db.function('composed', { deterministic: true }, (text: unknown) =>
      typeof text === 'string' ? composed(text) : text,
    )
    db.function('folded', { deterministic: true }, (text: unknown) => (typeof text === 'string' ? folded(text) : text))
    if (isUnclean) check(db)
    migrate(db, backups, migrations)
    return db
  } catch (error) {
    db?.close()
    const reason = damageOf(error)
    if (reason === null) throw error
    throw new AppError('workspace-damaged', { path, reason }, { cause: error })
  }
}

class Damaged extends Error {}

function check(db: Db): void {
  const answer = String(db.pragma('quick_check(1)', { simple: true }))
  if (answer !== 'ok') throw new Damaged(answer)
}

/** Whether SQLite says that the file is no sound database. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB')

function damageOf(error: unknown): string | null {
  if (error instanceof Damaged) return error.message
  return isDamage(error) && error instanceof Error ? error.message : null
}

/** What is wrong with a database file, or null when a full check finds nothing. */
export function damageIn(path: string): string | null {
  let db: Db | undefined
  try {
    db = new Database(path, { readonly: true, fileMustExist: true })
    check(db)
    return null
  } catch (error) {
    const reason = damageOf(error)
    if (reason === null) throw error
    return reason
  } finally {
    db?.close()
  }
}

const MARK = '.damaged-'

/** The newest damaged database that was put aside while no other took its place; null where there is none. */
export function missingBesideDamaged(path: string): string | null {
  if (existsSync(path) || !existsSync(dirname(path))) return null
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path) + MARK))
  const newest = names.filter((name) => !/-(wal|shm)$/.test(name)).sort().at(-1) // prettier-ignore
  return newest === undefined ? null : join(dirname(path), newest)
}

/** Renames the file and its write-ahead log to a free name; nothing is deleted. */
export function keepAside(path: string): string {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  let keptAs = `${path}${MARK}${stamp}`
  for (let n = 2; existsSync(keptAs); n++) keptAs = `${path}${MARK}${stamp}-${n}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix)
  }
  return keptAs
}
