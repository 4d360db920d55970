/** Gathers what a training has to say and sends it about ten times a second; every point also goes into `metrics.jsonl`. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { MetricPoint } from '../../shared/domain'
import { writeError } from '../files/atomic'
import type { Channel } from './channel'
import { giveWay } from './channel'

const FLUSH_MS = 100

export class TrainingReporter {
  private points: MetricPoint[] = []
  private flushedAt = performance.now()
  private readonly startedAt = performance.now()

  private constructor(
    private readonly channel: Channel,
    private readonly path: string,
    private readonly steps: number,
  ) {}

  /** Starts a fresh metrics file. @throws AppError disk-full, workspace-unwritable */
  static async open(channel: Channel, path: string, steps: number): Promise<TrainingReporter> {
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, '')
    } catch (error) {
      throw writeError(error, path)
    }
    channel.send({ type: 'progress', done: 0, total: steps, tokensPerSecond: null })
    return new TrainingReporter(channel, path, steps)
  }

  add(point: MetricPoint): void {
    this.points.push(point)
  }

  get isDue(): boolean {
    return performance.now() - this.flushedAt >= FLUSH_MS
  }

  /** Sends and writes what has gathered, and lets messages in. @throws AppError disk-full */
  async flush(step: number, tokens: number): Promise<void> {
    const seconds = (performance.now() - this.startedAt) / 1000
    const points = this.points
    this.points = []
    this.flushedAt = performance.now()
    const tokensPerSecond = seconds > 0 && tokens > 0 ? tokens / seconds : null
    this.channel.send({ type: 'progress', done: step, total: this.steps, tokensPerSecond })
    if (points.length > 0) {
      this.channel.send({ type: 'metrics', points })
      try {
        await appendFile(this.path, points.map((point) => `${JSON.stringify(point)}\n`).join(''))
      } catch (error) {
        throw writeError(error, this.path)
      }
    }
    await giveWay()
  }
}
