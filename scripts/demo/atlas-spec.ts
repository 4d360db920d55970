/** What the job of the demo's atlas is told: its first autoencoder over its short text. */
import { join } from 'node:path'
import { inspectModel } from '../../src/main/engine/lm'
import { inspectDataset } from '../../src/main/files/documents'
import type { AtlasSpec } from '../../src/main/jobs/messages'
import { INTERVAL_CONTEXTS, TOP_CONTEXTS } from '../../src/main/jobs/specs'
import { inspectSae } from '../../src/main/tasks/inspect-sae'
import type { DemoFiles } from '../../src/main/workspace/demo-files'

/** @param folder for everything that is written */
export async function demoAtlasSpec({ model, short, saes }: DemoFiles, folder: string): Promise<AtlasSpec> {
  const [path = ''] = saes
  const facts = await inspectModel({ path: model, piecesFolder: folder })
  const reading = { path: short, textField: 'text', deduplicate: false }
  const { hookName, contextSize, seed } = await inspectSae({ path, model: facts })
  return {
    kind: 'atlas',
    model: { name: 'monoscope-demo', path: model, sha256: facts.sha256 },
    dataset: { ...reading, name: 'demo text, short', sha256: (await inspectDataset(reading)).sha256 },
    sae: { path, hookName, contextSize },
    seed: seed ?? 0,
    file: join(folder, 'atlas.safetensors'),
    tokensFile: join(folder, 'tokens.safetensors'),
    ...{ topContexts: TOP_CONTEXTS, intervalContexts: INTERVAL_CONTEXTS },
  }
}
