/** Numbers for new rows that have a folder of the same number. */
import { readdirSync } from 'node:fs'
import type { Db } from './db'

/**
 * The next id of a table, above its rows and above every folder that is there already: a database that was lost or repaired must not
 * give a number again whose folder holds somebody's run.
 * @param folder where each row has a folder named by its id; it need not exist
 */
export function freeId(db: Db, table: 'run' | 'sae' | 'activation_set', folder: string): number {
  const largest = db.prepare<[], number>(`SELECT coalesce(max(id), 0) FROM ${table}`).pluck().get() ?? 0
  return Math.max(largest, ...foldersIn(folder)) + 1
}

function foldersIn(folder: string): number[] {
  try {
    return readdirSync(folder).filter((name) => /^\d{1,12}$/.test(name)).map(Number) // prettier-ignore
  } catch {
    return []
  }
}
