/** Brings a workspace's database to the newest format: a backup first, then every pending migration in one transaction. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { AppError } from '../../shared/errors'

/** "MONO" in ASCII; marks the file as ours for `file` and for us. */
export const APPLICATION_ID = 0x4d4f4e4f

const files = import.meta.glob<string>('./migrations/*.sql', { query: '?raw', import: 'default', eager: true })

/** The SQL of every format in order; entry 0 makes format 1. Throws when numbers have gaps. */
export const MIGRATIONS: readonly string[] = Object.keys(files)
  .sort()
  .map((name, index) => {
    const number = Number(/(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])
    if (number !== index + 1) throw new Error(`migration ${name} should have the number ${index + 1}`)
    return files[name] ?? ''
  })

const versionOf = (db: Database.Database): number => Number(db.pragma('user_version', { simple: true }))

/**
 * Migrates in place.
 * @param backups folder for the copy made before an existing file is changed
 * @throws AppError `workspace-too-new`, `file-corrupt` for a foreign database, `migration-failed`
 */
export function migrate(db: Database.Database, backups: string, migrations: readonly string[] = MIGRATIONS): void {
  const found = versionOf(db)
  const known = migrations.length
  refuseForeign(db, found)
  if (found > known) throw new AppError('workspace-too-new', { path: db.name, found, known })
  if (found === known) return
  const backup = found > 0 ? makeBackup(db, backups, found) : ''
  try {
    db.transaction(() => {
      for (const sql of migrations.slice(found)) db.exec(sql)
      db.pragma(`user_version = ${known}`)
      db.pragma(`application_id = ${APPLICATION_ID}`)
    })()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AppError('migration-failed', { version: known, reason, backup: backup || db.name }, { cause: error })
  }
}

function refuseForeign(db: Database.Database, version: number): void {
  const id = Number(db.pragma('application_id', { simple: true }))
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get())
  const isOurs = id === APPLICATION_ID || (id === 0 && version === 0 && tables === 0)
  if (isOurs) return
  throw new AppError('file-corrupt', {
    path: db.name,
    format: 'Monoscope workspace',
    reason: 'another program made it',
  })
}

function makeBackup(db: Database.Database, backups: string, version: number): string {
  mkdirSync(backups, { recursive: true })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const backup = join(backups, `workspace-format${version}-${stamp}.sqlite`)
  db.prepare('VACUUM INTO ?').run(backup)
  return backup
}
