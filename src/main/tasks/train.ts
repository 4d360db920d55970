/** The training job: spec in, messages out; metrics, checkpoints and the finished autoencoder go into the run's folder. */
import { join } from 'node:path'
import type { SaeSummary } from '../../shared/domain'
import { findsThreshold, usesSetting } from '../../shared/training-rules'
import { writeCheckpoint } from '../engine/train/checkpoint'
import { writeSaelens } from '../files/saelens'
import type { SaeArtifact, TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { TrainingReporter } from './reporter'
import { openCheckpoint, originOf, removeLeftovers } from './resume'
import { checkpointFolder, prepareTraining } from './training-setup'
import type { TrainingSetup } from './training-setup'
import { SAE_CHECKPOINT } from './sae-start'

/** What the figures beside the weights are in; the weights themselves act on raw activations. */
const UNITS =
  'weights: raw activations, unit decoder rows; threshold: normalised inputs, mean |x|^2 = d_in; input_scale: normalised / raw; norms: raw'

/** The first checkpoint comes after this share of the steps, so that a killed run has one. */
const FIRST_CHECKPOINT_SHARE = 0.05

/** Settings that decide how sparse the result is, as they are told in its metadata: those that its architecture uses. */
function sparsityOf({ config }: TrainSpec): Record<string, string | number | null> {
  const told = {
    l1_coefficient: 'l1Coefficient',
    l0_coefficient: 'l0Coefficient',
    target_l0: 'targetL0',
    bandwidth: 'bandwidth',
    k: 'k',
    aux_coefficient: 'auxCoefficient',
  } as const
  const used = Object.entries(told).filter(([, setting]) => usesSetting(config.architecture, setting))
  return Object.fromEntries(used.map(([name, setting]) => [name, config[setting]]))
}

class TrainingJob {
  private savedAt = performance.now()
  private readonly firstCheckpoint: number
  private readonly batch: Float32Array

  constructor(
    private readonly spec: TrainSpec,
    private readonly channel: Channel,
    private readonly setup: TrainingSetup,
  ) {
    this.firstCheckpoint = Math.max(1, Math.ceil(FIRST_CHECKPOINT_SHARE * setup.trainer.steps))
    this.batch = new Float32Array(spec.config.batchTokens * setup.source.dIn)
  }

  /** @returns false when the job was cancelled; its last checkpoint is written then */
  async run(reporter: TrainingReporter): Promise<boolean> {
    const { trainer } = this.setup
    while (!trainer.isDone) {
      if (this.channel.isCancelled()) {
        await reporter.flush(trainer.step, trainer.tokens)
        if (trainer.step > 0) await this.checkpoint(reporter)
        return false
      }
      const point = trainer.advance(this.draw())
      if (point) reporter.add(point)
      if (reporter.isDue) await reporter.flush(trainer.step, trainer.tokens)
      if (this.isCheckpointDue()) await this.checkpoint(reporter)
    }
    // Before the batch of the last point is drawn: whoever goes on from here draws the same one.
    await reporter.flush(trainer.step, trainer.tokens)
    await this.saveState()
    const { point, summary } = trainer.lastPoint(this.draw())
    reporter.add(point)
    await reporter.flush(trainer.step, trainer.tokens)
    const sae = await this.saveSae('sae', this.complete(summary))
    this.channel.send({ type: 'trained', sae })
    return true
  }

  private draw(): Float32Array {
    this.setup.buffer.draw(this.batch)
    return this.batch
  }

  private isCheckpointDue(): boolean {
    const { step } = this.setup.trainer
    if (step === this.firstCheckpoint) return true
    return performance.now() - this.savedAt >= this.spec.checkpointMinutes * 60_000
  }

  private async checkpoint(reporter: TrainingReporter): Promise<void> {
    const { trainer } = this.setup
    // Points before the checkpoint are not computed again by whoever goes on from it.
    await reporter.flush(trainer.step, trainer.tokens)
    await this.saveState()
    const sae = await this.saveSae(SAE_CHECKPOINT, this.complete(trainer.summary()))
    this.channel.send({ type: 'checkpoint', sae })
    this.savedAt = performance.now()
  }

  private complete(summary: Omit<SaeSummary, 'scale' | 'droppedTokens'>): SaeSummary {
    const { scale, droppedTokens } = this.setup.input
    return { ...summary, scale, droppedTokens }
  }

  private async saveState(): Promise<void> {
    const { trainer, buffer, stream, input, source, dataSha256, heldOutBy } = this.setup
    await writeCheckpoint(checkpointFolder(this.spec), {
      ...{
        input,
        heldOutRule: heldOutBy.rule,
        dIn: source.dIn,
        trainer: trainer.state(),
        buffer: buffer.state,
        stream: stream.place,
      },
      origin: originOf(this.spec, this.channel, dataSha256),
    })
  }

  private async saveSae(name: 'sae' | typeof SAE_CHECKPOINT, summary: SaeSummary): Promise<SaeArtifact> {
    const { architecture, trainer, source, contextSize, input, dataSha256, heldOutBy } = this.setup
    const { config, model, dataset } = this.spec
    const shape = { dIn: source.dIn, dSae: config.dSae }
    const path = join(this.spec.folder, name)
    const finished = architecture.finish(trainer.weights(), { scale: input.scale, ...trainer.encodeSettings })
    const sha256 = await writeSaelens(
      path,
      { ...finished, ...shape },
      {
        firingShare: trainer.firingShare(),
        origin: {
          modelName: model.name,
          hookName: config.hookName,
          contextSize,
          prependBos: source.bosId !== null,
          datasetPath: dataset.path,
          excludedIds: [...source.specialIds].sort((a, b) => a - b),
          ...(model.family === undefined ? {} : { family: model.family }),
          monoscope: {
            units: UNITS,
            model_sha256: model.sha256,
            data_sha256: dataSha256,
            step: trainer.step,
            steps: trainer.steps,
            seed: config.seed,
            held_out_rule: heldOutBy.rule,
            held_out_seed: heldOutBy.seed,
            dataset_sha256: heldOutBy.datasetSha256,
            training_architecture: architecture.name,
            ...sparsityOf(this.spec),
            ...(findsThreshold(architecture.name) ? { threshold: trainer.encodeSettings.threshold } : {}),
            learning_rate: config.learningRate,
            batch_tokens: config.batchTokens,
            input_scale: input.scale,
            median_norm: input.medianNorm,
            sink_norm: input.sinkNorm,
            explained_variance: summary.explainedVariance,
            l0: summary.l0,
            held_out_tokens: summary.heldOutTokens,
            backend: this.channel.backend.name,
            device: this.channel.backend.device,
          },
        },
      },
    )
    return { path, sha256, ...shape, step: trainer.step, final: name === 'sae', summary }
  }
}

/**
 * Trains one autoencoder, from its first step or from the checkpoint in the run's folder.
 * @returns false when it was cancelled
 * @throws AppError of model, dataset or disk; training-diverged; checkpoint-invalid, checkpoint-other
 */
export async function runTraining(spec: TrainSpec, channel: Channel): Promise<boolean> {
  await removeLeftovers(spec.folder)
  // Not kept under a name: it is as large as the training itself.
  const setup = await prepareTraining(spec, channel, await openCheckpoint(spec, channel))
  try {
    const path = join(spec.folder, 'metrics.jsonl')
    const { step, steps, tokens } = setup.trainer
    const reporter = await TrainingReporter.open(channel, path, { step, steps, tokens })
    return await new TrainingJob(spec, channel, setup).run(reporter)
  } finally {
    setup.trainer.dispose()
    setup.source.dispose()
  }
}
