/** Rows of written catalogs. */
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { CatalogExport } from '../../shared/contract/catalog'
import { now } from './blobs'
import type { Db } from './db'

const SELECT = 'SELECT id, sae_id AS saeId, format, path, features, bytes, created_at AS createdAt FROM export'

export class ExportStore {
  constructor(
    private readonly db: Db,
    private readonly folder: string,
  ) {}

  /** Newest first. */
  list(): CatalogExport[] {
    return this.db
      .prepare<[], CatalogExport>(`${SELECT} ORDER BY id DESC`)
      .all()
      .map((row) => ({ ...row, path: resolve(this.folder, row.path) }))
  }

  add(row: Omit<CatalogExport, 'id' | 'createdAt'>): CatalogExport {
    const createdAt = now()
    const inside = relative(this.folder, row.path)
    const path = inside.startsWith('..') || isAbsolute(inside) ? row.path : inside.split(sep).join('/')
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO export (sae_id, format, path, features, bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)')
      .run(row.saeId, row.format, path, row.features, row.bytes, createdAt)
    return { ...row, id: Number(lastInsertRowid), createdAt }
  }
}
