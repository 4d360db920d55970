/** A workspace in memory for the views Library, Runs and New run, behind the real wire, whose connection can be cut. */
import { contract, type MonoscopeClient, type MonoscopeContract } from '../../../src/shared/contract'
import type { ActivationSet, Dataset, Job, MetricPoint, Model, Run, TrainConfig } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { presetFor } from '../../../src/shared/presets'
import { connect, memoryWire, serve, type HandlersOf } from '../../../src/shared/wire'

const ADDED = '2026-11-22T00:00:00Z'

export const makeModel = (id: number, change: Partial<Model> = {}): Model => ({
  ...{ id, name: `model-${id}`, path: `/models/${id}`, family: 'llama', layers: 5, dModel: 64, heads: 8 },
  ...{ vocabulary: 512, contextSize: 512, dtype: 'float32', parameters: 260_032, weightBytes: 1_040_128 },
  ...{ memoryBytes: 1_040_128, absentHooks: [], hasChatTemplate: false, source: null },
  ...{ textStart: 'own', startTokens: { own: '<s>', bos: '<s>' } },
  ...{ unusedTensors: { count: 0, first: [] }, nanTensors: { count: 0, first: [] } },
  ...{ sha256: 'ab'.repeat(32), addedAt: ADDED },
  ...change,
})

export const makeDataset = (id: number, change: Partial<Dataset> = {}): Dataset => ({
  ...{ id, name: `text-${id}`, path: `/texts/${id}.jsonl`, format: 'jsonl', textField: 'text', documents: 2560 },
  ...{ files: 1, deduplicate: false, duplicates: 0, tokenCounts: [], source: null },
  ...{ bytes: 1_400_000, sha256: 'cd'.repeat(32), preview: 'One day,\n a boy', addedAt: ADDED },
  ...change,
})

export const makeConfig = (): TrainConfig =>
  presetFor({ modelId: 1, datasetId: 1, dModel: 64, layers: 5, contextSize: 512, datasetBytes: 1_400_000 })

export const makeRun = (id: number, change: Partial<Run> = {}): Run => ({
  ...{ id, name: `run-${id}`, config: makeConfig(), modelName: 'model-1', datasetName: 'text-1', state: 'running' },
  ...{ jobId: id * 10, saeId: null, backend: null, step: 0, steps: 2000, tokensPerSecond: null, summary: null },
  ...{
    forecast: null,
    actual: null,
    failure: null,
    canResume: false,
    resumeStep: null,
    createdAt: ADDED,
    endedAt: null,
  },
  ...change,
})

export const makeJob = (id: number, change: Partial<Job> = {}): Job => ({
  ...{ id, kind: 'train', state: 'running', runId: 1, saeId: null, title: 'run', done: 0, total: 2000 },
  ...{ tokensPerSecond: null, failure: null, createdAt: ADDED, startedAt: null, endedAt: null },
  ...change,
})

/** Loss falls with the step; the held-out figures come at every tenth step. */
export const makePoint = (step: number): MetricPoint => ({
  ...{ step, tokens: step * 1024, loss: 1000 / (1 + step), mse: 1, l1: 1, l0: 50, deadFraction: step / 10_000 },
  ...{ explainedVariance: step % 10 === 0 ? 0.5 : null, heldOutL0: null, learningRate: 1e-3 },
  ...{ aux: null, gradientNorm: 1, route: 'dense' as const },
})

export const points = (from: number, to: number): MetricPoint[] =>
  Array.from({ length: to - from + 1 }, (_, index) => makePoint(from + index))

export const later = <T>(make: () => T): Promise<T> => Promise.resolve().then(make)

type Handler = (input: never, signal: AbortSignal) => unknown

export class FakeHost {
  models: Model[] = []
  datasets: Dataset[] = []
  runs: Run[] = []
  activationSets: ActivationSet[] = []
  /** Metric points of every run, as the store would hold them. */
  measured: MetricPoint[] = []
  /** `afterStep` of each subscription, in order. */
  readonly watches: number[] = []
  readonly calls: { name: string; input: unknown }[] = []
  failing = new Map<string, AppError>()
  private wire = memoryWire()
  private inner: MonoscopeClient
  protected readonly waiting = new Set<() => void>()

  constructor() {
    this.inner = this.open()
  }

  private open(): MonoscopeClient {
    this.wire = memoryWire()
    const guarded = Object.entries(this.handlers()).map(([name, handler]) => [
      name,
      (input: never, signal: AbortSignal) => {
        this.calls.push({ name, input })
        const failure = this.failing.get(name)
        if (failure) throw failure
        return handler(input, signal)
      },
    ])
    serve(this.wire.b, contract, Object.fromEntries(guarded) as HandlersOf<MonoscopeContract>, { checkOutputs: true })
    return connect<MonoscopeContract>(this.wire.a)
  }

  /** A client that, like the page's, goes on with a new connection. */
  readonly client: MonoscopeClient = {
    call: (name, input, signal) => this.inner.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => this.inner.feed(name, input, onNext, onEnd),
  }

  /** Ends the connection and everything asked over it; the next question opens a new one. */
  cut(): void {
    const old = this.wire
    this.inner = this.open()
    old.close()
    this.change()
  }

  /** Wakes the watchers. */
  change(): void {
    const woken = [...this.waiting]
    this.waiting.clear()
    woken.forEach((wake) => wake())
  }

  /** Answers by name; a subclass adds those of its views. */
  protected handlers(): Record<string, Handler> {
    return {
      'models.list': () => later(() => this.models),
      'models.add': ({ path }: { path: string }) =>
        later(() => {
          const model = makeModel(this.models.length + 1, { path })
          this.models = [...this.models, model]
          return model
        }),
      'models.setTextStart': ({ modelId, textStart }: { modelId: number; textStart: Model['textStart'] }) =>
        later(() => {
          this.models = this.models.map((model) => (model.id === modelId ? { ...model, textStart } : model))
          return this.models.find(({ id }) => id === modelId)
        }),
      'models.remove': ({ modelId }: { modelId: number }) =>
        later(() => {
          this.models = this.models.filter((model) => model.id !== modelId)
          return null
        }),
      'datasets.list': () => later(() => this.datasets),
      'datasets.add': ({ path, ...rest }: { path: string; textField: string; deduplicate: boolean }) =>
        later(() => {
          const dataset = makeDataset(this.datasets.length + 1, { path, ...rest })
          this.datasets = [...this.datasets, dataset]
          return dataset
        }),
      'datasets.remove': ({ datasetId }: { datasetId: number }) =>
        later(() => {
          this.datasets = this.datasets.filter((dataset) => dataset.id !== datasetId)
          return null
        }),
      'activations.list': () => later(() => this.activationSets),
      'app.choosePath': () => later(() => '/chosen'),
      ...this.runHandlers(),
    }
  }

  private runHandlers() {
    const { watches, waiting } = this
    const runOf = (runId: number): Run => {
      const run = this.runs.find((one) => one.id === runId)
      if (!run) throw new AppError('not-found', { what: 'run', id: runId })
      return run
    }
    const measured = () => this.measured
    return {
      'runs.list': () => later(() => this.runs),
      'runs.get': ({ runId }: { runId: number }) => later(() => runOf(runId)),
      'runs.start': ({ name, config }: { name: string; config: TrainConfig }) =>
        later(() => {
          const run = makeRun(this.runs.length + 1, { name, config, state: 'queued' })
          this.runs = [...this.runs, run]
          return run
        }),
      'runs.cancel': ({ runId }: { runId: number }) =>
        later(() => {
          this.runs = this.runs.map((run) => (run.id === runId ? { ...run, state: 'cancelled' as const } : run))
          return null
        }),
      'runs.resume': ({ runId }: { runId: number }) =>
        later(() => {
          const gone = { state: 'running' as const, canResume: false, resumeStep: null }
          this.runs = this.runs.map((run) => (run.id === runId ? { ...run, ...gone } : run))
          return runOf(runId)
        }),
      'runs.remove': ({ runId }: { runId: number }) =>
        later(() => {
          this.runs = this.runs.filter((run) => run.id !== runId)
          return null
        }),
      'runs.watch': async function* (input: { runId: number; afterStep: number }, signal: AbortSignal) {
        watches.push(input.afterStep)
        let last = input.afterStep
        while (!signal.aborted) {
          const run = runOf(input.runId)
          const news = measured().filter((point) => point.step > last)
          last = news.at(-1)?.step ?? last
          yield { run, points: news }
          if (run.state === 'done') return
          await new Promise<void>((wake) => waiting.add(wake))
        }
      },
    }
  }
}
