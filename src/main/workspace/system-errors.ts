/** Failures of the system and of SQLite as errors a person can act on. */
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors'
import { writeError } from '../files/atomic'
import { isDamage } from '../store/db'

/**
 * Translates a full disk or a refused write; anything else passes unchanged.
 * @param path what was being written, named when the error itself names nothing
 */
export function translateSystemError(error: unknown, path: string): unknown {
  if (error instanceof AppError) return error
  if (error instanceof Database.SqliteError) {
    if (error.code === 'SQLITE_FULL' || error.code === 'SQLITE_IOERR_WRITE')
      return new AppError('disk-full', { path }, { cause: error })
    if (isDamage(error)) return new AppError('workspace-damaged', { path, reason: error.message }, { cause: error })
    if (error.code.startsWith('SQLITE_IOERR')) {
      return new AppError('workspace-unreadable', { path, reason: error.message }, { cause: error })
    }
    if (error.code.startsWith('SQLITE_READONLY') || error.code.startsWith('SQLITE_CANTOPEN')) {
      return new AppError('workspace-unwritable', { path, reason: error.message }, { cause: error })
    }
    return error
  }
  const named = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : path
  return writeError(error, named)
}
