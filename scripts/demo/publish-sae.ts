/**
 * Puts a trained autoencoder of a workspace into the demo, in float16, with figures measured on what ships:
 *   node scripts/demo/run.mjs publish-sae --workspace DIR --sae ID --model DIR --held-out FILE --name NAME --to DIR
 * Prints the figures of the float32 original beside those of the copy.
 */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '../../src/main/engine/tf'
import { writeFileAtomic } from '../../src/main/files/atomic'
import { openSafetensors, writeSafetensors } from '../../src/main/files/safetensors'
import type { TensorToWrite } from '../../src/main/files/safetensors'
import { sha256OfFile } from '../../src/main/files/saelens'
import type { FromWorker } from '../../src/main/jobs/messages'
import { openStore } from '../../src/main/store/store'
import { runEvaluation } from '../../src/main/tasks/evaluate'
import type { Backend, Sae, SaeQuality } from '../../src/shared/domain'
import { toHalves } from './training-state'

type Given = { workspace: string; sae: string; model: string; 'held-out': string; name: string; to: string }

function given(): Given {
  const text = { type: 'string' } as const
  const options = { workspace: text, sae: text, model: text, 'held-out': text, name: text, to: text }
  const { values } = parseArgs({ options })
  const { workspace, sae, model, name, to, 'held-out': heldOut } = values
  if (!workspace || !sae || !model || !name || !to || !heldOut) throw new Error('every option is needed')
  return { workspace, sae, model, name, to, 'held-out': heldOut }
}

const json = (value: object) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)

/** The folder again with its weights in float16. */
async function narrow(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { recursive: true })
  const file = await openSafetensors(join(from, 'sae_weights.safetensors'))
  const tensors: Record<string, TensorToWrite> = {}
  for (const name of file.tensors.keys()) {
    const { shape, data } = await file.readFloat32(name)
    tensors[name] = { dtype: 'F16', shape, data: toHalves(data) }
  }
  await file.close()
  await writeSafetensors(join(to, 'sae_weights.safetensors'), tensors)
  await copyFile(join(from, 'sparsity.safetensors'), join(to, 'sparsity.safetensors'))
  const cfg: unknown = JSON.parse(await readFile(join(from, 'cfg.json'), 'utf8'))
  if (typeof cfg !== 'object' || cfg === null) throw new Error('cfg.json is no object')
  const metadata = 'metadata' in cfg && typeof cfg.metadata === 'object' ? cfg.metadata : {}
  // The path on the machine that trained it tells nobody anything.
  const shipped = { ...cfg, dtype: 'float16', metadata: { ...metadata, dataset_path: 'the demo corpus' } }
  await writeFileAtomic(join(to, 'cfg.json'), json(shipped))
}

async function qualityOf(path: string, sae: Sae, from: Given, backend: Backend): Promise<SaeQuality> {
  const found: SaeQuality[] = []
  const { model } = from
  const sha256 = await sha256OfFile(join(model, 'model.safetensors'))
  const spec = {
    ...{ kind: 'evaluate' as const, model: { name: 'monoscope-demo', path: model, sha256 }, seed: 0 },
    dataset: { name: 'held-out demo text', path: from['held-out'], textField: 'text', deduplicate: false, sha256: '' },
    sae: { path, hookName: sae.hookName, contextSize: sae.contextSize },
  }
  await runEvaluation(spec, {
    ...{ backend, threadEntry: '', isCancelled: () => false },
    send: (message: FromWorker) => {
      if (message.type === 'evaluated') found.push(message.quality)
    },
  })
  const [quality] = found
  if (!quality) throw new Error('there was no evaluation')
  return quality
}

async function main(): Promise<void> {
  const from = given()
  const { workspace, name, to } = from
  const path = join(workspace, 'workspace.sqlite')
  const store = openStore({ path, backups: join(workspace, 'backups'), folder: workspace })
  const sae = store.saes.get(Number(from.sae))
  store.close()
  const { summary } = sae
  if (!summary || sae.partial) throw new Error('the training of this autoencoder has not ended')
  const backend = await openBackend()
  await narrow(sae.path, to)
  const before = await qualityOf(sae.path, sae, from, backend)
  const quality = await qualityOf(to, sae, from, backend)
  await writeFileAtomic(join(to, 'monoscope.json'), json({ name, summary, quality }))
  const figures = ({ explainedVariance, l0, ceRecovered, silentFraction }: SaeQuality) =>
    JSON.stringify({ explainedVariance, l0, ceRecovered, silentFraction })
  process.stdout.write(`float32 ${figures(before)}\nfloat16 ${figures(quality)}\n`)
  process.exit(0)
}

void main()
