/** Downloads from a hub of models and datasets, and how this program reaches it. */
import { z } from 'zod'
import { Download, Id } from '../domain'
import { call, feed } from '../wire'

export const HubStatus = z.object({
  /** No request leaves this machine: the environment variable HF_HUB_OFFLINE is set, or the user switched it off. */
  isOffline: z.boolean(),
  /** True when the environment decides, so that the switch has no effect. */
  isOfflineByEnvironment: z.boolean(),
  /** Where the access token for gated repositories comes from; the token itself is never told. */
  token: z.enum(['none', 'environment', 'keychain']),
  /** Whether this host can keep a token: the desktop app with a working keychain. */
  canKeepToken: z.boolean(),
  /** Where downloaded files go; other programs that use the same cache find them there. */
  cacheFolder: z.string(),
})
export type HubStatus = z.infer<typeof HubStatus>

/** `org/name`, with `@revision` after it when not the main one is wanted. */
const Source = z.string().trim().min(1).max(300)
const Count = z.int().min(0).max(1e12)

/** Which rows of a hosted Parquet dataset become documents. */
export const DatasetRows = z.object({
  config: z.string().trim().max(200).default('default'),
  split: z.string().trim().max(200).default('train'),
  textField: z.string().min(1).max(200).default('text'),
  firstRow: Count.default(0),
  rows: Count.min(1).max(1e8).default(10_000),
})
export type DatasetRows = z.infer<typeof DatasetRows>

const name = z.string().trim().max(200).optional()
export const DownloadRequest = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('model'), source: Source, name }),
  z.object({ kind: z.literal('dataset'), source: Source, name, rows: DatasetRows }),
])
export type DownloadRequest = z.infer<typeof DownloadRequest>

export const hub = {
  'hub.status': call(z.object({}), HubStatus),
  'hub.setOffline': call(z.object({ offline: z.boolean() }), HubStatus),
  /** Null forgets the token. */
  'hub.setToken': call(z.object({ token: z.string().trim().min(1).max(1000).nullable() }), HubStatus),
  /** Starts at once; a download of the same thing that runs already is returned instead. What an earlier try left is used. */
  'downloads.start': call(DownloadRequest, Download),
  /** Stops it; what has arrived stays for the next try. */
  'downloads.cancel': call(z.object({ downloadId: Id }), z.null()),
  /** Takes one that has ended off the list. */
  'downloads.dismiss': call(z.object({ downloadId: Id }), z.null()),
  /** All downloads of this process, newest first: at once and at every change. */
  'downloads.watch': feed(z.object({}), z.array(Download)),
}
