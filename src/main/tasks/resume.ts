/** Reads the checkpoint that a training goes on from, and says what could make its bits others than those of an uninterrupted run. */
import { readdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { version } from '../../../package.json'
import { AppError } from '../../shared/errors'
import { readCheckpoint } from '../engine/train/checkpoint'
import type { Checkpoint, CheckpointOrigin } from '../engine/train/checkpoint'
import type { TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { checkpointFolder } from './training-setup'

/** What a checkpoint of this job, written by this process, says of itself. */
export function originOf(spec: TrainSpec, { backend }: Channel, dataSha256: string): CheckpointOrigin {
  const { name, device } = backend
  return {
    asked: { config: spec.config, modelSha256: spec.model.sha256, dataSha256 },
    ranOn: { version, backend: { name, device }, cores: availableParallelism() },
    spec,
  }
}

/** Settings by name that are not the same. */
function differing(now: TrainSpec['config'], before: TrainSpec['config']): string[] {
  const values = new Map(Object.entries(before))
  return Object.entries(now)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(values.get(name)))
    .map(([name]) => name)
}

function warnings(now: CheckpointOrigin['ranOn'], before: CheckpointOrigin['ranOn']): string[] {
  const pairs: [string, string, string][] = [
    ['backend', `${before.backend.name}, ${before.backend.device}`, `${now.backend.name}, ${now.backend.device}`],
    ['number of cores', String(before.cores), String(now.cores)],
    ['version of the program', before.version, now.version],
  ]
  return pairs
    .filter(([, then, since]) => then !== since)
    .map(([what, then, since]) => `the ${what} was "${then}" at the checkpoint and is "${since}" now`)
}

/**
 * The checkpoint that a job goes on from; null for a job that starts afresh.
 * @throws AppError checkpoint-invalid; checkpoint-other when settings or model are not those it was written with
 */
export async function openCheckpoint(spec: TrainSpec, channel: Channel): Promise<Checkpoint | null> {
  if (spec.resume !== true) return null
  const path = checkpointFolder(spec)
  const checkpoint = await readCheckpoint(path)
  const { asked, ranOn } = checkpoint.origin
  const now = originOf(spec, channel, asked.dataSha256)
  const [setting] = differing(spec.config, asked.config)
  if (setting !== undefined) throw new AppError('checkpoint-other', { path, what: `setting ${setting}` })
  if (asked.modelSha256 !== spec.model.sha256) throw new AppError('checkpoint-other', { path, what: 'model' })
  const found = warnings(now.ranOn, ranOn)
  const text = `${found.join('; ')}: the result may differ in its last bits from that of an uninterrupted run`
  if (found.length > 0) channel.send({ type: 'log', level: 'warn', text })
  return checkpoint
}

/** Removes what a killed worker was in the middle of writing. Nothing else writes into the folder of a run at work. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const parts = names.filter((name) => name.startsWith('.') && name.endsWith('.part'))
  for (const name of parts) await rm(join(folder, name), { recursive: true, force: true })
}
