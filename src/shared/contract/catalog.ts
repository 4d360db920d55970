/** Catalogs: the features of one autoencoder written out for others. */
import { z } from 'zod'
import { Id } from '../domain'
import { call } from '../wire'

export const CatalogExport = z.object({
  id: Id,
  saeId: Id,
  format: z.enum(['jsonl', 'csv']),
  path: z.string(),
  features: z.int(),
  bytes: z.int(),
  createdAt: z.string(),
})
export type CatalogExport = z.infer<typeof CatalogExport>

export const catalog = {
  'catalog.list': call(z.object({}), z.array(CatalogExport)),
  /** Writes labels, tags, safety flags, statistics and contexts; into the workspace's exports folder unless a folder is given. */
  'catalog.export': call(
    z.object({
      saeId: Id,
      format: z.enum(['jsonl', 'csv']),
      which: z.enum(['alive', 'all', 'labelled']).default('alive'),
      folder: z.string().min(1).max(4096).optional(),
    }),
    CatalogExport,
  ),
}
