/** Whether what an atlas was made of is still there as it was. */
import { z } from 'zod'
import { FileKind, Id } from '../domain'
import { call } from '../wire'

export const ChangedFile = z.object({ kind: FileKind, name: z.string(), path: z.string() })
export type ChangedFile = z.infer<typeof ChangedFile>

export const stale = {
  /** The model, autoencoder or text of an atlas whose files are not those that were added; empty where all are. */
  'atlas.changed': call(z.object({ saeId: Id }), z.array(ChangedFile)),
}
