/** Calls about the program itself: where it runs, what computes, and paths chosen by the user. */
import { z } from 'zod'
import { Backend, Job } from '../domain'
import { call, feed } from '../wire'

export const AppInfo = z.object({
  version: z.string(),
  host: z.enum(['desktop', 'browser', 'cli']),
  workspace: z.object({ name: z.string(), path: z.string() }),
  /** Null until the first worker has reported. */
  backend: Backend.nullable(),
  cores: z.int(),
  totalMemoryBytes: z.int(),
  freeMemoryBytes: z.int(),
  freeDiskBytes: z.int(),
  /** Whether the host can show the system's own dialogs. */
  hasDialogs: z.boolean(),
})
export type AppInfo = z.infer<typeof AppInfo>

/** What the status bar shows; sent at once, on every change of a job, and every few seconds. */
export const AppStatus = z.object({
  backend: Backend.nullable(),
  usedMemoryBytes: z.int(),
  totalMemoryBytes: z.int(),
  jobs: z.array(Job),
})
export type AppStatus = z.infer<typeof AppStatus>

export const app = {
  'app.info': call(z.object({}), AppInfo),
  /** Starts the warm worker so that the backend is known and the first question is fast. */
  'app.warmUp': call(z.object({}), Backend),
  'app.watchStatus': feed(z.object({}), AppStatus),
  /** Opens the system's dialog; null when it was closed without a choice or the host has none. */
  'app.choosePath': call(
    z.object({ what: z.enum(['modelFolder', 'textFile', 'exportFolder']) }),
    z.string().nullable(),
  ),
}
