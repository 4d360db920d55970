/** Training from activations on disk: as good as training from text, resumable to the same bits, and refused where it makes no sense. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIndex, shardPath, writeIndex } from '../../src/main/files/activation-shards'
import { HeldOutJudge } from '../../src/main/engine/measure/held-out'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { estimateScale, modelSource, walkWindows } from '../../src/main/engine/train/activations'
import { ShuffleBuffer } from '../../src/main/engine/train/buffer'
import type { Checkpoint } from '../../src/main/engine/train/checkpoint'
import { windowCount } from '../../src/main/engine/train/contexts'
import type { Corpus } from '../../src/main/engine/train/contexts'
import { Random } from '../../src/main/engine/train/random'
import { ActivationStream, collectVectors, measureScale } from '../../src/main/engine/train/stream'
import { RANDOM_STREAMS, Trainer } from '../../src/main/engine/train/trainer'
import type { TrainSpec } from '../../src/main/jobs/messages'
import { originOf } from '../../src/main/tasks/resume'
import { prepareTraining } from '../../src/main/tasks/training-setup'
import type { TrainingSetup } from '../../src/main/tasks/training-setup'
import { TrainConfig } from '../../src/shared/domain'
import { collectToy, HOOKS, SEED, toyCorpus } from './collect-toy'
import { openTestBackend } from './goldens'
import { TOY, toyModel, TOY_TOKENS } from './toy-model'

const backend = await openTestBackend('cpu')
const hookName = HOOKS[1] ?? ''
let root = ''
let folder = ''
let corpus: Corpus
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-set-'))
  folder = join(root, 'set')
  corpus = await toyCorpus(600)
  await collectToy(folder, corpus)
})
afterAll(() => rm(root, { recursive: true, force: true }))

const channel = {
  send: () => undefined,
  isCancelled: () => false,
  backend: { name: 'cpu' as const, device: 'test', reason: '', version: '' },
  threadEntry: '',
}

function specOf(changes: Partial<TrainConfig> = {}, set = folder): TrainSpec {
  const config = TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, activationsId: 1, hookName, dSae: 48, l1Coefficient: 0.2, learningRate: 3e-3 },
    ...{ batchTokens: 64, trainingTokens: 64 * 400, contextSize: TOY.contextSize, bufferTokens: 1024, seed: SEED },
    ...changes,
  })
  return {
    ...{ kind: 'train', name: 'x', config, checkpointMinutes: 1, folder: join(root, 'run') },
    model: { name: 'toy', path: '', sha256: 'a' },
    dataset: { name: 'numbers', path: '', textField: null, deduplicate: false, sha256: 'd'.repeat(64) },
    activations: { name: 'a set', folder: set },
  }
}

function trainOn(
  { trainer, buffer }: Pick<TrainingSetup, 'trainer' | 'buffer'>,
  steps: number,
  batchTokens = 64,
): void {
  const batch = new Float32Array(batchTokens * TOY.dIn)
  for (let step = 0; step < steps; step++) {
    buffer.draw(batch)
    trainer.advance(batch)
  }
}

/** What training on the text itself ends with. */
function explainedFromText(): number {
  const { config } = specOf()
  const { contextSize, dIn } = TOY
  const source = modelSource(toyModel(), hookName, TOY_TOKENS)
  const order = Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w)
  const input = measureScale(source, corpus.training, { order, contextSize })
  const stream = new ActivationStream(source, corpus.training, { contextSize, input, random: Random.fromSeed(1).state })
  const buffer = new ShuffleBuffer({ capacity: config.bufferTokens, dIn }, stream, Random.fromSeed(2))
  const { vectors } = collectVectors(source, corpus.heldOut, { contextSize, input })
  const heldOut = new HeldOutJudge({ vectors, dIn, tokens: vectors.length / dIn })
  const architecture = architectureOf(config.architecture)
  const trainer = new Trainer({ architecture, dIn, config, heldOut, openSparse: () => null })
  trainOn({ trainer, buffer }, trainer.steps)
  const { explainedVariance } = trainer.summary()
  trainer.dispose()
  source.dispose()
  return explainedVariance
}

describe.skipIf(!backend)('training from disk', () => {
  it('explains as much as training from text, with the same scale but for rounding', async () => {
    const setup = await prepareTraining(specOf(), channel, null)
    const model = modelSource(toyModel(), hookName, TOY_TOKENS)
    const inOrder = Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w)
    // The sink norm is that of the first windows in the set's own order.
    const order = Random.fromSeed(SEED, RANDOM_STREAMS.passes).shuffle(inOrder.slice())
    const input = measureScale(model, corpus.training, { order, contextSize: TOY.contextSize })
    expect(setup.input.sinkNorm).toBe(input.sinkNorm)
    // The scale is that of all its vectors.
    const norms: number[] = []
    const all = { order: inOrder, contextSize: TOY.contextSize }
    for (const found of walkWindows(model, corpus.training, all)) norms.push(...found.norms)
    const { scale } = estimateScale(Float32Array.from(norms), TOY.dIn)
    expect(setup.input.scale / scale).toBeCloseTo(1, 3)
    expect(setup.contextSize).toBe(TOY.contextSize)
    // 400 batches of 64 are more than the set holds: it is gone over again.
    trainOn(setup, setup.trainer.steps)
    const { explainedVariance, heldOutTokens } = setup.trainer.summary()
    const fromText = explainedFromText()
    expect(heldOutTokens).toBeGreaterThan(500)
    expect(explainedVariance).toBeGreaterThan(0.7)
    expect(Math.abs(explainedVariance - fromText)).toBeLessThan(0.05)
    setup.trainer.dispose()
  })

  it('goes on from a checkpoint to the bits of the uninterrupted training', async () => {
    const spec = specOf()
    const whole = await prepareTraining(spec, channel, null)
    trainOn(whole, 330)
    for (const stop of [1, 100, 257]) {
      const first = await prepareTraining(spec, channel, null)
      trainOn(first, stop)
      const { random, pool, pending, taken } = first.buffer.state
      const copy = ({ vectors, positions }: typeof pool) => ({ vectors: vectors.slice(), positions: positions.slice() })
      const checkpoint: Checkpoint = {
        ...{ dIn: TOY.dIn, input: first.input, stream: first.stream.place, trainer: first.trainer.state() },
        heldOutRule: first.heldOutBy.rule,
        buffer: { random, pool: copy(pool), pending: copy(pending), taken },
        origin: originOf(spec, channel, first.dataSha256),
      }
      const second = await prepareTraining(spec, channel, checkpoint)
      trainOn(second, 330 - stop)
      expect(second.trainer.weights()).toEqual(whole.trainer.weights())
      first.trainer.dispose()
      second.trainer.dispose()
    }
    whole.trainer.dispose()
  })

  it('refuses another model, another place, an unfinished set, and one with less than a batch', async () => {
    const refusal = (spec: TrainSpec) => expect(prepareTraining(spec, channel, null)).rejects
    const unsuitable = (what: string) => ({ code: 'activations-unsuitable', details: { name: 'a set', what } })
    const other = specOf()
    await refusal({ ...other, model: { ...other.model, sha256: 'b' } }).toMatchObject(unsuitable('model'))
    await refusal(specOf({ hookName: 'blocks.0.hook_resid_pre' })).toMatchObject(unsuitable('hook point'))
    await refusal(specOf({ batchTokens: 65536 })).toMatchObject({
      code: 'dataset-too-small',
      details: { needed: 65536 },
    })
    await refusal(specOf({}, join(root, 'nowhere'))).toMatchObject({ code: 'activations-incomplete' })
    const index = await readIndex(folder)
    if (!index) throw new Error('the set is there')
    await writeIndex(join(root, 'half'), { ...index, isComplete: false })
    await refusal(specOf({}, join(root, 'half'))).toMatchObject({ code: 'activations-incomplete' })
  })

  it('ends at a shard that has changed, naming it, with the trainer untouched', async () => {
    const other = join(root, 'spoiled')
    const index = await collectToy(other, corpus)
    const path = shardPath(other, hookName, index?.hooks[1]?.training[2]?.file ?? '')
    const bytes = await readFile(path)
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 0x40
    await writeFile(path, bytes)
    const setup = await prepareTraining(specOf({ bufferTokens: 20_000 }, other), channel, null)
    const before = setup.trainer.state()
    expect(() => trainOn(setup, 1)).toThrow(expect.objectContaining({ code: 'activations-changed', details: { path } }))
    expect(setup.trainer.state()).toEqual(before)
    setup.trainer.dispose()
  })
})
