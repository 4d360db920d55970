/** A set of activations on disk as what a training reads: no model is run for it. */
import { createHash } from 'node:crypto'
import { AppError } from '../../shared/errors'
import { readIndex } from '../files/activation-shards'
import type { ActivationIndex, HookShards } from '../files/activation-shards'
import { Random } from '../engine/train/random'
import { readVectors, rowsOf, scaleOf, shardSets, ShardStream } from '../engine/train/shard-stream'
import type { ShardSet } from '../engine/train/shard-stream'
import { RANDOM_STREAMS } from '../engine/train/trainer'
import type { TrainSpec } from '../jobs/messages'
import type { TrainingData } from './training-data'

type Set = NonNullable<TrainSpec['activations']>

/** @throws AppError activations-incomplete, activations-unsuitable; file-corrupt */
async function openIndex(
  spec: TrainSpec,
  { name, folder }: Set,
): Promise<{ index: ActivationIndex; hook: HookShards }> {
  const index = await readIndex(folder)
  if (!index?.isComplete) throw new AppError('activations-incomplete', { name })
  if (index.model.sha256 !== spec.model.sha256) throw new AppError('activations-unsuitable', { name, what: 'model' })
  const hook = index.hooks.find(({ hookName }) => hookName === spec.config.hookName)
  if (!hook) throw new AppError('activations-unsuitable', { name, what: 'hook point' })
  return { index, hook }
}

function hashOf({ training, heldOut }: { training: ShardSet; heldOut: ShardSet }): string {
  const hash = createHash('sha256')
  for (const { file, sha256 } of [...training.shards, ...heldOut.shards]) hash.update(`${file} ${sha256}\n`)
  return hash.digest('hex')
}

/**
 * Opens the set that the config names.
 * @throws AppError activations-incomplete, activations-unsuitable; dataset-too-small when it has not one batch to train on, or
 * nothing to judge the result by
 */
export async function setData(spec: TrainSpec, set: Set): Promise<TrainingData> {
  const { seed, batchTokens } = spec.config
  const { index, hook } = await openIndex(spec, set)
  const { dIn, bosId, contextSize } = index
  const specialIds = new Set(index.specialIds ?? (bosId === null ? [] : [bosId]))
  const sets = shardSets(set.folder, index, hook)
  const { training, heldOut } = sets
  const [rows, judged] = [rowsOf(training), rowsOf(heldOut)]
  if (rows < batchTokens || judged === 0)
    throw new AppError('dataset-too-small', { tokens: rows + judged, needed: batchTokens })
  return {
    ...{ source: { dIn, bosId, specialIds, dispose: () => undefined }, contextSize, sha256: hashOf(sets) },
    // The set decides what is held out, whatever seed the run has.
    heldOutBy: { rule: index.heldOutRule ?? 1, seed: index.seed, datasetSha256: index.dataset.sha256 },
    measure() {
      const input = scaleOf(sets, hook)
      return { ...input, droppedTokens: input.sinks + (bosId === null ? 0 : index.trainingWindows) }
    },
    stream: ({ scale }) =>
      new ShardStream(training, { scale, random: Random.fromSeed(seed, RANDOM_STREAMS.passes).state }),
    heldOut: ({ scale }) => readVectors(heldOut, scale),
    describe: ({ scale, sinks }) =>
      `${rows.toLocaleString('en-US')} vectors of "${set.name}" to train on, ${judged.toLocaleString('en-US')} held out; ` +
      `s ${scale.toPrecision(6)}, ${sinks} sinks`,
  }
}
