/** The queue of batch jobs: one runs, the others wait in the store. */
import { rm } from 'node:fs/promises'
import type { Job, Run, TrainConfig } from '../../shared/domain'
import { AppError, toFailure } from '../../shared/errors'
import { hasEnded, type QueuedJob } from '../store/jobs'
import { Supervisor, type JobSurroundings } from './supervisor'

export class JobQueue {
  private running: { jobId: number; supervisor: Supervisor; over: Promise<void> } | null = null
  private isClosing = false

  constructor(private readonly around: JobSurroundings) {}

  /** Process number of the worker of the running job. */
  get workerPid(): number | undefined {
    return this.running?.supervisor.pid
  }

  /**
   * Queues a training; with `atlas` the atlas of its result on the same dataset is queued right after it.
   * @throws AppError `not-found`
   */
  startTraining(name: string, config: TrainConfig, atlas: boolean): Run {
    const { store } = this.around
    const run = store.together(() => {
      store.models.get(config.modelId)
      store.datasets.get(config.datasetId)
      const runId = store.runs.add(name, config)
      const { steps } = store.runs.get(runId)
      const { datasetId } = config
      store.jobs.add({ kind: 'train', runId, saeId: null, datasetId, title: name, chained: atlas, total: steps })
      return store.runs.get(runId)
    })
    this.pump()
    return store.runs.get(run.id)
  }

  /** @throws AppError `not-found` */
  startAtlas(saeId: number, datasetId: number): Job {
    const { store } = this.around
    const sae = store.saes.get(saeId)
    const { documents } = store.datasets.get(datasetId)
    const job = store.jobs.add({
      ...{ kind: 'atlas', runId: sae.runId, saeId, datasetId, title: sae.name, chained: false, total: documents },
    })
    this.pump()
    return store.jobs.get(job.id)
  }

  /** @throws AppError `not-found`, `job-not-running` */
  cancel(jobId: number): void {
    const { store, changes } = this.around
    const { state } = store.jobs.get(jobId)
    if (hasEnded(state)) throw new AppError('job-not-running', { id: jobId })
    if (this.running?.jobId === jobId) {
      store.jobs.cancelling(jobId)
      this.running.supervisor.cancel('cancelled')
    } else store.jobs.end(jobId, 'cancelled')
    changes.notify()
  }

  /**
   * Deletes a run that has ended, with its autoencoder and files.
   * @throws AppError `not-found`, `in-use`
   */
  async removeRun(runId: number): Promise<void> {
    const { store, paths, changes } = this.around
    store.runs.get(runId)
    const open = store.jobs.open(runId)
    if (open.length > 0) throw new AppError('in-use', { what: 'run', id: runId, users: `job ${open.join(', ')}` })
    const sae = store.saes.ofRun(runId)
    store.runs.remove(runId)
    changes.notify()
    await rm(paths.run(runId), { recursive: true, force: true })
    if (sae) await rm(paths.sae(sae.id), { recursive: true, force: true })
  }

  /** Ends the running job with a last checkpoint, for closing; waiting jobs become `interrupted`. */
  async close(): Promise<void> {
    this.isClosing = true
    this.running?.supervisor.cancel('interrupted')
    await this.running?.over
    this.around.store.jobs.interruptAll()
    this.around.changes.notify()
  }

  /** Starts the next waiting job when none runs. */
  private pump(): void {
    const { store, changes, log } = this.around
    if (this.isClosing || this.running) return
    const next = store.jobs.next()
    if (next) {
      this.start(next)
      log.info({ job: next.job.id, kind: next.job.kind, title: next.job.title }, 'job')
    }
    changes.notify()
  }

  private start(next: QueuedJob): void {
    const { store } = this.around
    const jobId = next.job.id
    try {
      store.jobs.start(jobId)
      const supervisor = new Supervisor(next, this.around)
      const over = supervisor.run().then(() => {
        this.running = null
        this.pump()
      })
      this.running = { jobId, supervisor, over }
    } catch (error) {
      store.jobs.end(jobId, 'failed', toFailure(error))
      queueMicrotask(() => this.pump())
    }
  }
}
