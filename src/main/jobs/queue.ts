/** The queue of batch jobs: one runs, the others wait in the store. */
import { rmSync } from 'node:fs'
import { hasEnded, type ActivationSet, type Job, type NeuronSettings, type TrainConfig } from '../../shared/domain'
import { AppError, toFailure } from '../../shared/errors'
import { removeFolder } from '../files/removal'
import { neuronHooksBefore } from '../../shared/hooks'
import { LEAST_FIRED } from '../../shared/neurons'
import { requirePossible } from '../../shared/training-rules'
import type { NewActivationSet } from '../store/activations'
import type { QueuedJob } from '../store/jobs'
import type { StoredRun } from '../store/runs'
import { checkpointStep, isResumable } from './checkpoints'
import { Supervisor, type JobSurroundings } from './supervisor'

export class JobQueue {
  private running: { jobId: number; supervisor: Supervisor; over: Promise<void> } | null = null
  private isClosing = false

  constructor(private readonly around: JobSurroundings) {}

  get isBusy(): boolean {
    return this.running !== null
  }

  /** Process number of the worker of the running job. */
  get workerPid(): number | undefined {
    return this.running?.supervisor.pid
  }

  /**
   * Queues a training; with `atlas` the atlas of its result on the same dataset is queued right after it.
   * @throws AppError `k-too-large`, `widths-invalid`, `not-found`, `activations-incomplete`, `activations-unsuitable`
   */
  startTraining(name: string, config: TrainConfig, atlas: boolean): StoredRun {
    const { store } = this.around
    requirePossible(config)
    const run = store.together(() => {
      store.models.get(config.modelId)
      store.datasets.get(config.datasetId)
      store.activations.requireFor(config)
      const runId = store.runs.add(name, config)
      const { steps } = store.runs.get(runId)
      const { datasetId } = config
      store.jobs.add({ kind: 'train', runId, saeId: null, datasetId, title: name, chained: atlas, total: steps })
      return store.runs.get(runId)
    })
    this.pump()
    return store.runs.get(run.id)
  }

  /**
   * Queues a training that goes on from the last checkpoint of a run; an atlas that was to follow still does.
   * @throws AppError `not-found`, `run-not-resumable`, `checkpoint-missing`
   */
  resumeTraining(runId: number): StoredRun {
    const { store, paths } = this.around
    const run = store.runs.get(runId)
    const { name, jobId, state, steps, config } = run
    if (!isResumable(run) || jobId === null) throw new AppError('run-not-resumable', { id: runId, state })
    const step = checkpointStep(paths.run(runId))
    if (step === null) throw new AppError('checkpoint-missing', { id: runId })
    const { chained } = store.jobs.queued(jobId)
    const { datasetId } = config
    store.together(() => {
      const job = store.jobs.add({ kind: 'train', runId, saeId: null, datasetId, title: name, chained, total: steps })
      store.jobs.progress(job.id, step, steps, null)
      // They are computed again.
      store.metrics.removeFrom(runId, step)
    })
    this.pump()
    return store.runs.get(runId)
  }

  /** Queues an atlas or an evaluation of an autoencoder. @throws AppError `not-found` */
  startMeasuring(kind: 'atlas' | 'evaluate', { saeId, datasetId }: { saeId: number; datasetId: number }): Job {
    const { store } = this.around
    const sae = store.saes.get(saeId)
    const { documents } = store.datasets.get(datasetId)
    const total = kind === 'atlas' ? documents : 0
    const job = store.jobs.add({
      ...{ kind, runId: sae.runId, saeId, datasetId, title: sae.name, chained: false, total },
    })
    this.pump()
    return store.jobs.get(job.id)
  }

  /** Queues the map of an autoencoder's features. @throws AppError `not-found`, `atlas-missing` */
  startMap(saeId: number): Job {
    const { store } = this.around
    const { runId, name, atlas } = store.saes.get(saeId)
    // Only an atlas knows which features never fire.
    if (!atlas) throw new AppError('atlas-missing', { id: saeId })
    const job = store.jobs.add({ kind: 'map', runId, saeId, datasetId: null, title: name, chained: false, total: 0 })
    this.pump()
    return store.jobs.get(job.id)
  }

  /**
   * Queues a measurement of an autoencoder's features against neurons.
   * @throws AppError `not-found`, `atlas-missing`, `neurons-none`, `neurons-too-few`
   */
  startNeurons({ saeId, datasetId }: { saeId: number; datasetId: number }, settings: NeuronSettings): Job {
    const { store } = this.around
    const { runId, name, atlas, hookName } = store.saes.get(saeId)
    store.datasets.get(datasetId)
    // Only an atlas knows which features fire often enough.
    if (!atlas) throw new AppError('atlas-missing', { id: saeId })
    if (neuronHooksBefore(hookName).length === 0) throw new AppError('neurons-none', { hookName })
    if (store.neurons.eligible(saeId).length === 0) throw new AppError('neurons-too-few', { least: LEAST_FIRED })
    const job = { kind: 'neurons' as const, runId, saeId, datasetId, title: name, chained: false, total: 0 }
    const { id } = store.jobs.add({ ...job, settings })
    this.pump()
    return store.jobs.get(id)
  }

  /**
   * Queues the collection of activations; of a set that is there, the rest. A complete one, or one at work, is returned as it is.
   * @throws AppError `not-found`
   */
  startCollecting(wanted: NewActivationSet): ActivationSet {
    const { store, paths } = this.around
    const set = store.together(() => {
      const { id, name, jobId, state, tokens } = store.activations.add(wanted)
      const isWanted = jobId === null || (state !== 'done' && hasEnded(state))
      const job = { kind: 'collect' as const, runId: null, saeId: null, datasetId: wanted.datasetId, activationsId: id }
      // Whatever lies there is left from a set that had this number before.
      if (jobId === null) rmSync(paths.activations(id), { recursive: true, force: true })
      if (isWanted) store.jobs.add({ ...job, title: name, chained: false, total: tokens })
      return store.activations.get(id)
    })
    this.pump()
    return store.activations.get(set.id)
  }

  /**
   * Deletes a set of activations with its files.
   * @throws AppError `not-found`, `in-use`
   */
  async removeActivations(activationsId: number): Promise<void> {
    const { store, paths, changes } = this.around
    store.activations.remove(activationsId)
    changes.notify()
    await removeFolder(paths.activations(activationsId))
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
    await removeFolder(paths.run(runId))
    if (sae) await removeFolder(paths.sae(sae.id))
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
