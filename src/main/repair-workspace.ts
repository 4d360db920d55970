/** Repairs the database of a workspace folder while this process alone holds its lock. */
import type { MonoscopeHandlers } from '../shared/contract'
import { AppError } from '../shared/errors'
import { repairDatabase, type Repaired } from './store/repair'
import { startHost } from './web/host'
import { translateSystemError } from './workspace/system-errors'
import { openWorkspace } from './workspace/workspace'

/**
 * @param folder the workspace
 * @throws AppError `workspace-sound`, `workspace-open`, `workspace-busy`, `workspace-elsewhere`, `workspace-unwritable`, `disk-full`
 */
export async function repairWorkspace(folder: string): Promise<Repaired> {
  const nobody = new Proxy({} as MonoscopeHandlers, {
    get: () => {
      throw new AppError('connection-lost')
    },
  })
  const host = await startHost({ handlers: nobody, rendererFolder: null })
  try {
    const workspace = await openWorkspace(folder, host)
    try {
      return repairDatabase({ path: workspace.database, backups: workspace.backups })
    } catch (error) {
      throw translateSystemError(error, workspace.database)
    } finally {
      workspace.release()
    }
  } finally {
    await host.close()
  }
}
