/** After a kill: marks what was running, and makes the last checkpoint of each cut-off run usable again. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { recoverFolder } from '../files/atomic'
import type { Log } from '../log'
import type { Store } from '../store/store'
import type { WorkspacePaths } from '../workspace/workspace'
import { checkpointFolder } from './checkpoints'

const WEIGHTS = 'sae_weights.safetensors'

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return hash.digest('hex')
}

/** Call once at boot, before any job starts. */
export async function recoverRuns(store: Store, paths: WorkspacePaths, log: Log): Promise<void> {
  for (const runId of store.jobs.interruptAll()) {
    log.warn({ run: runId, folder: paths.run(runId) }, 'interrupted')
    await recoverFolder(checkpointFolder(paths.run(runId)))
    const sae = store.saes.ofRun(runId)
    if (!sae) continue
    await recoverFolder(sae.path)
    const weights = join(sae.path, WEIGHTS)
    if (!existsSync(weights)) continue
    const sha256 = await sha256Of(weights)
    // The worker wrote a checkpoint that main was no longer there to hear of.
    if (sha256 !== sae.sha256) store.saes.put({ ...sae, sha256 })
  }
}
