/** Runs one batch job in a worker process and writes what it reports into the store. */
import { AppError, toFailure, type Failure } from '../../shared/errors'
import type { JobState, MetricPoint } from '../../shared/domain'
import { readAtlas } from '../files/atlas-file'
import { CorpusTokens } from '../files/corpus-tokens'
import { readMap } from '../files/map-file'
import type { Log } from '../log'
import type { QueuedJob } from '../store/jobs'
import type { Store } from '../store/store'
import type { PiecesCache } from '../workspace/pieces'
import { translateSystemError } from '../workspace/system-errors'
import type { WorkspacePaths } from '../workspace/workspace'
import type { Changes } from './changes'
import type { AtlasArtifact, FromWorker, SaeArtifact } from './messages'
import type { Runtime } from './runtime'
import { specOf } from './specs'
import { describeExit, WorkerProcess, type Exit } from './worker-process'
import { folderBytes } from './folder-bytes'

const METRICS_EVERY_MS = 200
/** After a cancel a worker may write a last checkpoint; after its last message it only has to leave. */
const CANCEL_PATIENCE_MS = 20_000
const LEAVE_PATIENCE_MS = 5000

export type JobSurroundings = {
  store: Store
  paths: WorkspacePaths
  pieces: PiecesCache
  changes: Changes
  log: Log
  workerPath: string
  runtime: Runtime
  checkpointMinutes: number
}

type Outcome = { state: JobState; failure: Failure | null }

/** One job from start to end. Make a new one for every job. */
export class Supervisor {
  private readonly worker: WorkerProcess
  private readonly log: Log
  private outcome: Outcome | null = null
  private endEarly: JobState | null = null
  private points: MetricPoint[] = []
  private flushTimer: NodeJS.Timeout | null = null
  private step = 0
  /** The most memory the worker took, once it has said so. */
  private peakBytes: number | null = null
  /** Imports and other work that must be over before the job is. */
  private pending: Promise<void> = Promise.resolve()
  private announce: () => void = () => undefined
  private readonly announced = new Promise<void>((resolve) => (this.announce = resolve))

  constructor(
    private readonly queued: QueuedJob,
    private readonly around: JobSurroundings,
  ) {
    const { job } = queued
    this.log = around.log.child({ job: job.id, kind: job.kind })
    const spec = specOf(queued, around)
    this.worker = new WorkerProcess({ ...around, log: this.log }, (message) => this.receive(message))
    this.worker.send({ type: 'start', spec })
  }

  /** Process number of the worker. */
  get pid(): number | undefined {
    return this.worker.pid
  }

  /** Waits for the end of the job and writes it down. Never rejects. */
  async run(): Promise<void> {
    await Promise.race([this.announced, this.worker.exited])
    // A worker that was told to cancel and says nothing more is stopped by `cancel`.
    const exit = this.outcome ? null : await this.worker.exited
    await this.pending
    try {
      this.flush()
      this.end(this.outcome ?? this.outcomeOf(exit ?? { code: null, signal: null, error: null }))
    } catch (error) {
      this.log.error({ error: String(error) }, 'the end of a job could not be written')
    }
    this.around.changes.notify()
    await this.worker.stop(LEAVE_PATIENCE_MS)
  }

  /**
   * Asks the worker for a last checkpoint and to end.
   * @param state what the job then is: `cancelled` by the user or `interrupted` because main is closing
   */
  cancel(state: 'cancelled' | 'interrupted'): void {
    if (this.endEarly) return
    this.endEarly = state
    this.worker.send({ type: 'cancel' })
    void this.worker.stop(CANCEL_PATIENCE_MS)
  }

  private receive(message: FromWorker): void {
    try {
      this.handle(message)
    } catch (error) {
      this.fail(error)
    }
  }

  private handle(message: FromWorker): void {
    const { store, changes } = this.around
    const { job } = this.queued
    switch (message.type) {
      case 'ready':
        if (job.runId !== null && job.kind === 'train') store.runs.setBackend(job.runId, message.backend)
        return changes.setBackend(message.backend)
      case 'progress':
        this.step = message.done
        store.jobs.progress(job.id, message.done, message.total, message.tokensPerSecond)
        if (job.runId !== null && job.kind === 'train') store.runs.setSteps(job.runId, message.total)
        return changes.notify()
      case 'metrics':
        return this.collect(message.points)
      case 'log':
        return this.log[message.level](message.text)
      case 'checkpoint':
      case 'trained':
        return this.register(message.sae)
      case 'atlas':
        return this.keep(() => this.importAtlas(message.atlas))
      case 'map':
        return this.keep(() => this.importMap(message.file))
      case 'neurons':
        if (job.saeId !== null) store.neurons.put(job.saeId, message.summary, message.best)
        return
      case 'evaluated':
        if (job.saeId !== null) store.saes.setQuality(job.saeId, message.quality)
        return
      case 'collected':
        if (this.queued.activationsId !== null) store.activations.setStored(this.queued.activationsId, message.set)
        return
      case 'peak':
        this.peakBytes = message.bytes
        return
      case 'done':
        return this.conclude({ state: 'done', failure: null })
      case 'cancelled':
        return this.conclude({ state: this.endEarly ?? 'cancelled', failure: null })
      case 'failed':
        return this.conclude({ state: 'failed', failure: message.failure })
      case 'answer':
      case 'part':
      case 'streamEnd':
      case 'answerFailed':
        return
      default:
        message satisfies never
    }
  }

  private conclude(outcome: Outcome): void {
    this.outcome ??= outcome
    this.announce()
  }

  /** Main could not keep what the worker made, for instance on a full disk: the job fails and the worker is stopped. */
  private fail(error: unknown): void {
    const failure = toFailure(translateSystemError(error, this.around.paths.database))
    this.log.error({ failure, error: String(error) }, 'the job failed in main')
    this.outcome = { state: 'failed', failure }
    this.announce()
    this.worker.send({ type: 'cancel' })
  }

  /** Work that must be over before the job is. */
  private keep(work: () => Promise<void>): void {
    this.pending = this.pending.then(work).catch((error: unknown) => this.fail(error))
  }

  private collect(points: MetricPoint[]): void {
    this.points.push(...points)
    this.flushTimer ??= setTimeout(() => {
      try {
        this.flush()
      } catch (error) {
        this.fail(error)
      }
    }, METRICS_EVERY_MS)
  }

  private flush(): void {
    if (this.flushTimer) clearTimeout(this.flushTimer)
    this.flushTimer = null
    const { runId } = this.queued.job
    if (this.points.length === 0 || runId === null) return
    this.around.store.metrics.add(runId, this.points)
    this.points = []
    this.around.changes.notify()
  }

  private register(artifact: SaeArtifact): void {
    const { store, changes } = this.around
    if (this.queued.job.runId === null) return
    const run = store.runs.get(this.queued.job.runId)
    const { modelId, hookName, architecture, contextSize, seed } = run.config
    const { path, sha256, dIn, dSae, summary } = artifact
    store.saes.put({
      ...{ name: run.name, runId: run.id, modelId, hookName, architecture, contextSize, seed },
      ...{ path, sha256, dIn, dSae, summary, partial: !artifact.final, backend: run.backend },
    })
    changes.notify()
  }

  private async importMap(file: string): Promise<void> {
    const { saeId } = this.queued.job
    if (saeId !== null) this.around.store.maps.put(saeId, await readMap(file))
  }

  private async importAtlas({ file, tokensFile, settings }: AtlasArtifact): Promise<void> {
    const { store, pieces: known } = this.around
    const { job, datasetId } = this.queued
    if (job.saeId === null || datasetId === null) return
    const { sha256 } = store.models.get(store.saes.get(job.saeId).modelId)
    const [atlas, pieces] = [await readAtlas(file), await known.of(sha256)]
    const tokens = CorpusTokens.open(tokensFile)
    try {
      const text = { pieces, ids: tokens.read.bind(tokens) }
      await store.atlases.run({ saeId: job.saeId, datasetId, ...(settings && { settings }) }, atlas, text)
    } finally {
      tokens.close()
    }
  }

  /** What an exit without a last message means. */
  private outcomeOf(exit: Exit): Outcome {
    if (this.endEarly) return { state: this.endEarly, failure: null }
    const crashed = new AppError('worker-crashed', { reason: describeExit(exit), step: this.step })
    const failure = toFailure(this.worker.missing(exit) ?? crashed)
    this.log.error({ failure, stderr: this.worker.stderrTail }, 'the worker stopped unexpectedly')
    return { state: 'failed', failure }
  }

  /** What the training took, beside what was forecast. */
  private keepActual(): void {
    const { store, paths } = this.around
    const { runId, kind } = this.queued.job
    if (runId === null || kind !== 'train' || this.peakBytes === null) return
    store.runs.setActual(runId, { peakMemoryBytes: this.peakBytes, diskBytes: folderBytes(paths.run(runId)) })
  }

  private end({ state, failure }: Outcome): void {
    const { store } = this.around
    const { job, datasetId, chained } = this.queued
    store.together(() => {
      store.jobs.end(job.id, state, failure)
      if (state === 'done') this.keepActual()
      const sae = job.runId === null ? null : store.saes.ofRun(job.runId)
      if (state !== 'done' || job.kind !== 'train' || !chained || !sae) return
      store.jobs.add({
        kind: 'atlas',
        runId: job.runId,
        saeId: sae.id,
        datasetId,
        title: sae.name,
        chained: true,
        total: 0,
      })
    })
  }
}
