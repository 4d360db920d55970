/**
 * A copy of what people wrote, as JSONL beside the database: one line `{ table, row }` each. The newest few are kept, so that a database
 * that is lost whole costs at most what was written since the last one.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import { z } from 'zod'
import type { Db } from './db'
import { PEOPLE_TABLES, WRITTEN_TABLES } from './people-tables'

const KEPT_COPIES = 7
const NAME = /^written-[\dTZ-]+\.jsonl$/

const Line = z.object({ table: z.string(), row: z.record(z.string(), z.union([z.string(), z.number(), z.null()])) })
export type CopiedRow = z.infer<typeof Line>

/** Copies in a folder, the newest first. */
export function peopleCopies(backups: string): string[] {
  if (!existsSync(backups)) return []
  const names = readdirSync(backups).filter((name) => NAME.test(name))
  return names.sort().reverse().map((name) => join(backups, name)) // prettier-ignore
}

/** Every row as one text; the same rows give the same text. */
function linesOf(db: Db): string {
  const rows = PEOPLE_TABLES.flatMap((table) =>
    db
      .prepare<[], CopiedRow['row']>(`SELECT * FROM ${table}`)
      .all()
      .map((row) => `${JSON.stringify({ table, row })}\n`),
  )
  return rows.join('')
}

/**
 * Writes a copy unless the newest one says the same, and drops the oldest ones.
 * @returns its path, or null where nothing has changed or nothing is written
 */
export function copyPeople(db: Db, backups: string): string | null {
  // An emptied workspace must not push out the copies of what was in it.
  if (!WRITTEN_TABLES.some((table) => db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() !== undefined)) return null
  const text = linesOf(db)
  const [newest] = peopleCopies(backups)
  if (newest !== undefined && readFileSync(newest, 'utf8') === text) return null
  mkdirSync(backups, { recursive: true })
  const path = join(backups, `written-${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`)
  const part = `${path}.part`
  const file = openSync(part, 'w', 0o600)
  try {
    // Unlike a single write, this goes on until all is there or throws.
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(part, path)
  for (const old of peopleCopies(backups).slice(KEPT_COPIES)) rmSync(old, { force: true })
  return path
}

/** Rows of a copy; a line that cannot be read is left out. */
export function readPeopleCopy(path: string): CopiedRow[] {
  const parse = (line: string): CopiedRow[] => {
    try {
      return [Line.parse(JSON.parse(line))]
    } catch {
      return []
    }
  }
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).flatMap(parse) // prettier-ignore
}
