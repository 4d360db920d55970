/** Opens the workspace's SQLite file: settings, a check after an unclean exit, migrations; a damaged file is kept aside. */
import { existsSync, renameSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors'
import { MIGRATIONS, migrate } from './migrate'

export type Db = Database.Database

export type OpenDbOptions = { path: string; backups: string; migrations?: readonly string[] }

/**
 * Opens or makes the database.
 * @throws AppError `workspace-damaged` (the file was renamed aside), `workspace-too-new`, `migration-failed`
 */
export function openDb({ path, backups, migrations = MIGRATIONS }: OpenDbOptions): Db {
  // SQLite removes the write-ahead log when the last connection closes, so one that is there means a killed process.
  const isUnclean = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
  let db: Db | undefined
  try {
    db = new Database(path, { timeout: 5000 })
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    db.pragma('foreign_keys = ON')
    // Lists of a million features are read along one index: 64 MB of pages, and what the system has of the rest.
    db.pragma('cache_size = -65536')
    db.pragma('mmap_size = 1073741824')
    if (isUnclean) check(db)
    migrate(db, backups, migrations)
    return db
  } catch (error) {
    db?.close()
    const reason = damageOf(error)
    if (reason === null) throw error
    throw new AppError('workspace-damaged', { path, reason, keptAs: keepAside(path) }, { cause: error })
  }
}

class Damaged extends Error {}

function check(db: Db): void {
  const answer = String(db.pragma('quick_check(1)', { simple: true }))
  if (answer !== 'ok') throw new Damaged(answer)
}

function damageOf(error: unknown): string | null {
  if (error instanceof Damaged) return error.message
  if (!(error instanceof Database.SqliteError)) return null
  return error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB' ? error.message : null
}

/** Renames the file and its write-ahead log to a free name; nothing is deleted. */
function keepAside(path: string): string {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  let keptAs = `${path}.damaged-${stamp}`
  for (let n = 2; existsSync(keptAs); n++) keptAs = `${path}.damaged-${stamp}-${n}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix)
  }
  return keptAs
}
