/** The training job: spec in, messages out; metrics, checkpoints and the finished autoencoder go into the run's folder. */
import { join } from 'node:path'
import type { SaeSummary } from '../../shared/domain'
import { writeCheckpoint } from '../engine/train/checkpoint'
import { writeSaelens } from '../files/saelens'
import type { SaeArtifact, TrainSpec } from '../jobs/messages'
import type { Channel } from './channel'
import { TrainingReporter } from './reporter'
import { prepareTraining } from './training-setup'
import type { TrainingSetup } from './training-setup'

/** The first checkpoint comes after this share of the steps, so that a killed run has one. */
const FIRST_CHECKPOINT_SHARE = 0.05

class TrainingJob {
  private savedAt = performance.now()
  private readonly firstCheckpoint: number

  constructor(
    private readonly spec: TrainSpec,
    private readonly channel: Channel,
    private readonly setup: TrainingSetup,
  ) {
    this.firstCheckpoint = Math.max(1, Math.ceil(FIRST_CHECKPOINT_SHARE * setup.trainer.steps))
  }

  /** @returns false when the job was cancelled; its last checkpoint is written then */
  async run(reporter: TrainingReporter): Promise<boolean> {
    const { trainer } = this.setup
    while (!trainer.isDone) {
      if (this.channel.isCancelled()) {
        await reporter.flush(trainer.step, trainer.tokens)
        if (trainer.step > 0) await this.checkpoint()
        return false
      }
      const point = trainer.advance()
      if (point) reporter.add(point)
      if (reporter.isDue) await reporter.flush(trainer.step, trainer.tokens)
      if (this.isCheckpointDue()) await this.checkpoint()
    }
    const { point, summary } = trainer.lastPoint()
    reporter.add(point)
    await reporter.flush(trainer.step, trainer.tokens)
    await this.saveState()
    const sae = await this.saveSae('sae', this.complete(summary))
    this.channel.send({ type: 'trained', sae })
    return true
  }

  private isCheckpointDue(): boolean {
    const { step } = this.setup.trainer
    if (step === this.firstCheckpoint) return true
    return performance.now() - this.savedAt >= this.spec.checkpointMinutes * 60_000
  }

  private async checkpoint(): Promise<void> {
    await this.saveState()
    const sae = await this.saveSae('sae-checkpoint', this.complete(this.setup.trainer.summary()))
    this.channel.send({ type: 'checkpoint', sae })
    this.savedAt = performance.now()
  }

  private complete(summary: Omit<SaeSummary, 'scale' | 'droppedTokens'>): SaeSummary {
    const { scale, droppedTokens } = this.setup.input
    return { ...summary, scale, droppedTokens }
  }

  private async saveState(): Promise<void> {
    const { trainer, buffer, stream, passes, input } = this.setup
    await writeCheckpoint(join(this.spec.folder, 'checkpoint'), {
      trainer,
      buffer: buffer.state,
      stream: stream.place,
      passes: passes.state,
      input,
      spec: this.spec,
    })
  }

  private async saveSae(name: 'sae' | 'sae-checkpoint', summary: SaeSummary): Promise<SaeArtifact> {
    const { architecture, trainer, judge, source, contextSize, input } = this.setup
    const { config, model, dataset } = this.spec
    const shape = { dIn: source.dIn, dSae: config.dSae }
    const path = join(this.spec.folder, name)
    const sha256 = await writeSaelens(
      path,
      { architecture: architecture.name, ...shape, weights: architecture.fold(trainer.weights(), input.scale) },
      {
        firingShare: judge.firingShare(architecture, trainer.parameters, config.dSae),
        origin: {
          modelName: model.name,
          hookName: config.hookName,
          contextSize,
          prependBos: source.bosId !== null,
          datasetPath: dataset.path,
          monoscope: {
            model_sha256: model.sha256,
            step: trainer.step,
            steps: trainer.steps,
            seed: config.seed,
            l1_coefficient: config.l1Coefficient,
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
 * Trains one autoencoder.
 * @returns false when it was cancelled
 * @throws AppError of model, dataset or disk; training-diverged
 */
export async function runTraining(spec: TrainSpec, channel: Channel): Promise<boolean> {
  const setup = await prepareTraining(spec, channel)
  try {
    const reporter = await TrainingReporter.open(channel, join(spec.folder, 'metrics.jsonl'), setup.trainer.steps)
    return await new TrainingJob(spec, channel, setup).run(reporter)
  } finally {
    setup.trainer.dispose()
    setup.source.dispose()
  }
}
