/** After a kill: marks what was running, and makes the last checkpoint of each cut-off run usable again. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { recoverFolder } from '../files/atomic'
import { sha256OfFile, WEIGHTS_FILE } from '../files/saelens'
import type { Log } from '../log'
import type { Store } from '../store/store'
import type { WorkspacePaths } from '../workspace/workspace'
import { checkpointFolder } from './checkpoints'

/** Call once at boot, before any job starts. */
export async function recoverRuns(store: Store, paths: WorkspacePaths, log: Log): Promise<void> {
  for (const runId of store.jobs.interruptAll()) {
    log.warn({ run: runId, folder: paths.run(runId) }, 'interrupted')
    await recoverFolder(checkpointFolder(paths.run(runId)))
    const sae = store.saes.ofRun(runId)
    if (!sae) continue
    await recoverFolder(sae.path)
    const weights = join(sae.path, WEIGHTS_FILE)
    if (!existsSync(weights)) continue
    const sha256 = await sha256OfFile(weights)
    // The worker wrote a checkpoint that main was no longer there to hear of.
    if (sha256 !== sae.sha256) store.saes.put({ ...sae, sha256 })
  }
}
