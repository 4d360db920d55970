/** Answers about the program itself. */
import { statfs } from 'node:fs/promises'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { app } from '../../shared/contract/app'
import type { HandlersOf } from '../../shared/wire'
import type { Services } from './services'

const STATUS_EVERY_MS = 5000
const STATUS_JOBS = 20

export const appHandlers = (services: Services) => {
  const { store, changes, warm, paths, choosePath } = services
  return {
    'app.info': async () => {
      const disk = await statfs(paths.folder)
      return {
        version: services.version,
        host: services.host,
        workspace: { name: paths.name, path: paths.folder },
        backend: changes.backend,
        cores: availableParallelism(),
        totalMemoryBytes: totalmem(),
        freeMemoryBytes: freemem(),
        freeDiskBytes: disk.bavail * disk.bsize,
        hasDialogs: choosePath !== null,
      }
    },
    'app.warmUp': (_, signal) => warm.ask('backend', {}, signal),
    async *'app.watchStatus'(_, signal) {
      for await (const { backend } of changes.until(signal, STATUS_EVERY_MS)) {
        const totalMemoryBytes = totalmem()
        const usedMemoryBytes = totalMemoryBytes - freemem()
        yield { backend, usedMemoryBytes, totalMemoryBytes, jobs: store.jobs.list(STATUS_JOBS) }
      }
    },
    'app.choosePath': async ({ what }) => (choosePath ? choosePath(what) : null),
  } satisfies HandlersOf<typeof app>
}
