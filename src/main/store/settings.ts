/** Small remembered values of a workspace by key. */
import type { Db } from './db'

export class SettingStore {
  constructor(private readonly db: Db) {}

  /** The value, or null when it was never set. */
  get(key: string): string | null {
    return this.db.prepare<[string], string>('SELECT value FROM setting WHERE key = ?').pluck().get(key) ?? null
  }

  set(key: string, value: string): void {
    this.db
      .prepare('INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
      .run(key, value)
  }
}
