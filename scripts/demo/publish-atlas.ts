/**
 * Makes the atlas of the demo's first autoencoder over the demo's short text, from what ships, and puts it beside the weights:
 *   node scripts/demo/run.mjs publish-atlas --demo resources/demo
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { openBackend } from '../../src/main/engine/tf'
import type { FromWorker } from '../../src/main/jobs/messages'
import { runAtlas } from '../../src/main/tasks/atlas'
import { SHIPPED_ATLAS } from '../../src/main/tasks/shipped-atlas'
import { copyDemo } from '../../src/main/workspace/demo-files'
import { demoAtlasSpec } from './atlas-spec'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { demo: { type: 'string' } } })
  const { demo } = values
  if (demo === undefined) throw new Error('--demo is needed')
  const folder = mkdtempSync(join(tmpdir(), 'monoscope-publish-'))
  const backend = await openBackend()
  const spec = await demoAtlasSpec(await copyDemo(demo, folder), folder)
  // An older one would only be taken again.
  rmSync(join(spec.sae.path, SHIPPED_ATLAS), { force: true })
  const send = (message: FromWorker) => {
    if (message.type === 'progress') process.stderr.write(`\r${message.done}/${message.total} `)
  }
  await runAtlas(spec, { backend, threadEntry: '', isCancelled: () => false, send })
  const bytes = gzipSync(readFileSync(spec.file), { level: 9 })
  const to = join(demo, 'saes', basename(spec.sae.path), SHIPPED_ATLAS)
  writeFileSync(to, bytes)
  rmSync(folder, { recursive: true })
  process.stdout.write(`${to}: ${(bytes.length / 1e6).toFixed(1)} MB, ${backend.name}\n`)
  process.exit(0)
}

void main()
