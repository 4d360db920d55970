/** What the files of models, autoencoders and texts were when they were last looked at. */
import type { FileKind } from '../../shared/domain'
import type { Db } from './db'

export type SeenFile = { stamp: string; sha256: string }

export class SeenFileStore {
  constructor(private readonly db: Db) {}

  get(kind: FileKind, path: string): SeenFile | null {
    const found = this.db.prepare<[string, string], SeenFile>(
      'SELECT stamp, sha256 FROM seen_file WHERE kind = ? AND path = ?',
    )
    return found.get(kind, path) ?? null
  }

  put(kind: FileKind, path: string, { stamp, sha256 }: SeenFile): void {
    this.db
      .prepare('INSERT OR REPLACE INTO seen_file (kind, path, stamp, sha256) VALUES (?, ?, ?, ?)')
      .run(kind, path, stamp, sha256)
  }
}
