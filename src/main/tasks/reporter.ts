/** Gathers what a training has to say and sends it about ten times a second; every point also goes into `metrics.jsonl`. */
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MetricPoint } from '../../shared/domain'
import { writeError, writeFileAtomic } from '../files/atomic'
import type { Channel } from './channel'
import { giveWay } from './channel'

const FLUSH_MS = 100

/** Points sent at once, so that no message grows without bound. */
const POINTS_AT_ONCE = 1000

/** Where a training begins: at its first step or, resumed, at a later one. */
export type TrainingStart = { step: number; steps: number; tokens: number }

type Written = { line: string; point: MetricPoint }

/** A line with its point, or null for one that a killed process did not finish. */
function writtenIn(line: string): Written | null {
  try {
    return { line, point: MetricPoint.parse(JSON.parse(line)) }
  } catch {
    return null
  }
}

/** What an older metrics file has before a step; nothing when there is no such file. */
async function writtenBefore(path: string, step: number): Promise<Written[]> {
  if (step === 0) return []
  const text = await readFile(path, 'utf8').catch(() => '')
  return text
    .split('\n')
    .map(writtenIn)
    .filter((written) => written !== null)
    .filter(({ point }) => point.step < step)
}

const linesOf = (points: readonly MetricPoint[]): string => points.map((point) => `${JSON.stringify(point)}\n`).join('')

export class TrainingReporter {
  private points: MetricPoint[] = []
  private flushedAt = performance.now()
  private readonly startedAt = performance.now()

  private constructor(
    private readonly channel: Channel,
    private readonly path: string,
    private readonly start: TrainingStart,
  ) {}

  /**
   * Starts a metrics file. Of an older one it keeps and sends again what lies before the start, since the last of it may not have
   * been heard.
   * @throws AppError disk-full, workspace-unwritable
   */
  static async open(channel: Channel, path: string, start: TrainingStart): Promise<TrainingReporter> {
    const { step, steps } = start
    const kept = await writtenBefore(path, step)
    await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
      throw writeError(error, path)
    })
    await writeFileAtomic(path, new TextEncoder().encode(kept.map(({ line }) => `${line}\n`).join('')))
    channel.send({ type: 'progress', done: step, total: steps, tokensPerSecond: null })
    for (let at = 0; at < kept.length; at += POINTS_AT_ONCE) {
      channel.send({ type: 'metrics', points: kept.slice(at, at + POINTS_AT_ONCE).map(({ point }) => point) })
    }
    return new TrainingReporter(channel, path, start)
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
    const computed = tokens - this.start.tokens
    const tokensPerSecond = seconds > 0 && computed > 0 ? computed / seconds : null
    this.channel.send({ type: 'progress', done: step, total: this.start.steps, tokensPerSecond })
    if (points.length > 0) {
      this.channel.send({ type: 'metrics', points })
      try {
        await appendFile(this.path, linesOf(points))
      } catch (error) {
        throw writeError(error, this.path)
      }
    }
    await giveWay()
  }
}
