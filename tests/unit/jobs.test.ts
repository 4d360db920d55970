/** Jobs over a scripted worker: order, cancel, crash, boot after a kill, and feeds that lose nothing. */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeAtlas } from '../../src/main/files/atlas-file'
import { tokensFileName, writeCorpusTokens } from '../../src/main/files/corpus-tokens'
import { writePieces } from '../../src/main/files/pieces-file'
import { runHandlers } from '../../src/main/handlers/runs'
import type { Services } from '../../src/main/handlers/services'
import { Changes } from '../../src/main/jobs/changes'
import { JobQueue } from '../../src/main/jobs/queue'
import { recoverRuns } from '../../src/main/jobs/recover'
import { findRuntime } from '../../src/main/jobs/runtime'
import { silentLog } from '../../src/main/log'
import { PiecesCache } from '../../src/main/workspace/pieces'
import { workspacePaths, type WorkspacePaths } from '../../src/main/workspace/workspace'
import { configOf, DATASET, makeAtlas, MODEL, PIECES, temporaryFolder, temporaryStore, TEXT } from '../fixtures/samples'

const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')

function rooms(worker = workerPath, runtime = findRuntime()) {
  const folder = temporaryFolder()
  const paths = workspacePaths(folder)
  const store = temporaryStore(folder)
  const model = store.models.add(MODEL)
  const dataset = store.datasets.add(DATASET)
  const changes = new Changes()
  const pieces = new PiecesCache(paths.pieces)
  const log = silentLog()
  const around = { store, paths, pieces, changes, log, workerPath: worker, runtime, checkpointMinutes: 5 }
  const queue = new JobQueue(around)
  const config = configOf(model.id, dataset.id)
  onTestFinished(() => queue.close())
  // Run handlers use only these of the services.
  const handlers = runHandlers({ store, queue, changes, paths } as Services)
  return { folder, paths, store, queue, changes, config, handlers, log, dataset }
}

/** What main reads of a checkpoint. @param folder of the run */
function writeCheckpointHead(folder: string, step: number): void {
  mkdirSync(join(folder, 'checkpoint'), { recursive: true })
  writeFileSync(join(folder, 'checkpoint', 'state.json'), JSON.stringify({ step }))
}

const ended = (of: ReturnType<typeof rooms>, runId: number) =>
  expect.poll(() => of.store.runs.get(runId).state, { timeout: 10_000 }).not.toMatch(/queued|running|cancelling/)

describe('queue', () => {
  it('runs one after the other and keeps what they made', async () => {
    const one = rooms()
    const first = one.queue.startTraining('first', one.config, false)
    const second = one.queue.startTraining('second', one.config, false)
    expect([first.state, second.state]).toEqual(['running', 'queued'])
    await ended(one, second.id)
    expect(one.store.runs.get(first.id)).toMatchObject({
      ...{ state: 'done', step: 5, steps: 5, backend: { name: 'cpu' }, summary: { explainedVariance: 0.5 } },
    })
    expect(one.store.saes.ofRun(first.id)).toMatchObject({ partial: false, sha256: 'sha-5', dSae: 8 })
    expect(one.store.metrics.after(first.id, -1)).toHaveLength(5)
    const jobs = one.store.jobs.list()
    expect(jobs[1]?.endedAt && jobs[0]?.startedAt && jobs[1].endedAt <= jobs[0].startedAt).toBe(true)
  })

  it('builds the atlas of a training right after it, before older jobs', async () => {
    const one = rooms()
    await writePieces(join(one.paths.pieces, `${MODEL.sha256}.safetensors`), PIECES)
    await writeSampleAtlas(one.paths)
    const first = one.queue.startTraining('first', one.config, true)
    const second = one.queue.startTraining('second', one.config, false)
    await ended(one, second.id)
    expect(one.store.jobs.list().map(({ kind, state, runId }) => [kind, state, runId])).toEqual([
      ['atlas', 'done', first.id],
      ['train', 'done', second.id],
      ['train', 'done', first.id],
    ])
    const [atlas, later] = one.store.jobs.list()
    expect(atlas?.startedAt && later?.startedAt && atlas.startedAt <= later.startedAt).toBe(true)
    expect(one.store.saes.ofRun(first.id)?.atlas).toMatchObject({ tokens: 1000, liveFeatures: 5 })
  })

  it('cancels with a last checkpoint that stays usable', async () => {
    const one = rooms()
    const run = one.queue.startTraining('slow', one.config, true)
    const waiting = one.queue.startTraining('waits', one.config, false)
    await expect.poll(() => one.store.runs.get(run.id).step).toBe(5)
    one.queue.cancel(waiting.jobId ?? 0)
    one.queue.cancel(run.jobId ?? 0)
    expect(one.store.runs.get(run.id).state).toBe('cancelling')
    expect(one.store.runs.get(waiting.id).state).toBe('cancelled')
    await ended(one, run.id)
    expect(one.store.runs.get(run.id)).toMatchObject({ state: 'cancelled', failure: null })
    expect(one.store.saes.ofRun(run.id)).toMatchObject({ partial: true, sha256: 'sha-6' })
    expect(() => one.queue.cancel(run.jobId ?? 0)).toThrow('is not running')
    // A cancelled training queues no atlas.
    expect(one.store.jobs.list()).toHaveLength(2)
  })

  it.each([
    ['killed', { code: 'worker-crashed', details: { reason: 'signal SIGKILL', step: 5 } }],
    ['exits', { code: 'worker-crashed', details: { reason: 'exit code 3', step: 5 } }],
    ['fails', { code: 'training-diverged' }],
  ])('marks a training that %s as failed, keeps its checkpoint and goes on', async (name, failure) => {
    const one = rooms()
    const run = one.queue.startTraining(name, one.config, true)
    const next = one.queue.startTraining('next', one.config, false)
    await ended(one, next.id)
    expect(one.store.runs.get(run.id)).toMatchObject({ state: 'failed', failure })
    expect(one.store.runs.get(next.id).state).toBe('done')
    expect(one.store.saes.ofRun(run.id)).toMatchObject({ partial: true, sha256: 'sha-5' })
    expect(one.store.metrics.after(run.id, -1)).toHaveLength(5)
  })

  it('says when no worker can be started', async () => {
    const one = rooms(workerPath, { path: '/no/such/node', env: {} })
    const run = one.queue.startTraining('x', one.config, false)
    await ended(one, run.id)
    expect(one.store.runs.get(run.id).failure).toMatchObject({
      code: 'worker-missing',
      details: { path: '/no/such/node' },
    })
  })

  it('interrupts with a last checkpoint when it closes', async () => {
    const one = rooms()
    const run = one.queue.startTraining('slow', one.config, false)
    const waiting = one.queue.startTraining('waits', one.config, false)
    await expect.poll(() => one.store.runs.get(run.id).step).toBe(5)
    await one.queue.close()
    expect(one.store.runs.get(run.id).state).toBe('interrupted')
    expect(one.store.runs.get(waiting.id).state).toBe('interrupted')
    expect(one.store.saes.ofRun(run.id)?.sha256).toBe('sha-6')
  })

  it('finds at boot what a kill cut off', async () => {
    const one = rooms()
    const runId = one.store.runs.add('cut off', one.config)
    const job = one.store.jobs.add({
      ...{ kind: 'train', runId, saeId: null, datasetId: one.dataset.id, title: 'x', chained: false, total: 5 },
    })
    one.store.jobs.start(job.id)
    await recoverRuns(one.store, one.paths, one.log)
    expect(one.store.runs.get(runId).state).toBe('interrupted')
    expect(one.store.jobs.next()).toBeNull()
  })

  it.each(['killed', 'fails', 'slow'])(
    'goes on with a training that ended early (%s), and builds its atlas',
    async (name) => {
      const one = rooms()
      await writePieces(join(one.paths.pieces, `${MODEL.sha256}.safetensors`), PIECES)
      await writeSampleAtlas(one.paths)
      const run = one.queue.startTraining(name, one.config, true)
      if (name === 'slow') {
        await expect.poll(() => one.store.runs.get(run.id).step).toBe(5)
        expect(() => one.queue.resumeTraining(run.id)).toThrow(expect.objectContaining({ code: 'run-not-resumable' }))
        one.queue.cancel(run.jobId ?? 0)
      }
      await ended(one, run.id)
      expect(() => one.queue.resumeTraining(run.id)).toThrow(expect.objectContaining({ code: 'checkpoint-missing' }))
      expect(await one.handlers['runs.get']({ runId: run.id })).toMatchObject({ canResume: false, resumeStep: null })
      writeCheckpointHead(one.paths.run(run.id), 3)
      expect(await one.handlers['runs.get']({ runId: run.id })).toMatchObject({ canResume: true, resumeStep: 3 })
      const resumed = await one.handlers['runs.resume']({ runId: run.id })
      // It waits while the worker of the job before is still leaving.
      const state: unknown = expect.stringMatching(/^(queued|running)$/)
      expect(resumed).toMatchObject({ id: run.id, state, step: 3, failure: null, canResume: false })
      expect(one.store.metrics.after(run.id, -1).map(({ step }) => step)).toEqual([1, 2])
      await ended(one, run.id)
      expect(one.store.runs.get(run.id)).toMatchObject({ state: 'done', step: 5, failure: null })
      // The scripted worker begins at step 4; the real one sends the points of its checkpoint's step as well.
      expect(one.store.metrics.after(run.id, -1).map(({ step }) => step)).toEqual([1, 2, 4, 5])
      expect(one.store.saes.ofRun(run.id)).toMatchObject({ partial: false, sha256: 'sha-5' })
      await expect.poll(() => one.store.saes.ofRun(run.id)?.atlas).toMatchObject({ liveFeatures: 5 })
      expect(() => one.queue.resumeTraining(run.id)).toThrow('Run 1 is done and cannot be resumed.')
      expect(() => one.queue.resumeTraining(99)).toThrow(expect.objectContaining({ code: 'not-found' }))
    },
  )

  it('puts back at boot the checkpoint that was being replaced', async () => {
    const one = rooms()
    const runId = one.store.runs.add('cut off', one.config)
    const { id } = one.store.jobs.add({
      ...{ kind: 'train', runId, saeId: null, datasetId: one.dataset.id, title: 'x', chained: false, total: 5 },
    })
    one.store.jobs.start(id)
    writeCheckpointHead(one.paths.run(runId), 2)
    renameSync(join(one.paths.run(runId), 'checkpoint'), join(one.paths.run(runId), 'checkpoint.previous'))
    await recoverRuns(one.store, one.paths, one.log)
    expect(readdirSync(one.paths.run(runId))).toEqual(['checkpoint'])
    expect(await one.handlers['runs.get']({ runId })).toMatchObject({ state: 'interrupted', resumeStep: 2 })
  })

  it('refuses to remove a run at work and removes one that has ended', async () => {
    const one = rooms()
    const run = one.queue.startTraining('slow', one.config, false)
    await expect(one.queue.removeRun(run.id)).rejects.toMatchObject({ code: 'in-use' })
    one.queue.cancel(run.jobId ?? 0)
    await ended(one, run.id)
    await one.queue.removeRun(run.id)
    expect(one.store.runs.list()).toEqual([])
    expect(one.store.saes.list()).toEqual([])
  })
})

describe('feeds', () => {
  it('replay after a step and go on live, without loss or doubles, until the end', async () => {
    const one = rooms()
    const run = one.queue.startTraining('next', one.config, false)
    const signal = new AbortController().signal
    const watch = async (afterStep: number) => {
      const steps: number[] = []
      let state = ''
      for await (const event of one.handlers['runs.watch']({ runId: run.id, afterStep }, signal)) {
        steps.push(...event.points.map(({ step }) => step))
        state = event.run.state
      }
      return { steps, state }
    }
    const all = await Promise.all([watch(-1), watch(2)])
    expect(all).toEqual([
      { steps: [1, 2, 3, 4, 5], state: 'done' },
      { steps: [3, 4, 5], state: 'done' },
    ])
    expect(await watch(4)).toEqual({ steps: [5], state: 'done' })
    expect(one.changes.size).toBe(0)
  })

  it('end promptly when the asker goes away and leave no listener', async () => {
    const one = rooms()
    const run = one.queue.startTraining('slow', one.config, false)
    const stop = new AbortController()
    const states: string[] = []
    const watching = (async () => {
      for await (const job of one.handlers['jobs.watch']({ jobId: run.jobId ?? 0 }, stop.signal)) states.push(job.state)
    })()
    await expect.poll(() => states).toContain('running')
    expect(one.changes.size).toBe(1)
    stop.abort()
    await watching
    expect(one.changes.size).toBe(0)
  })
})

/** What an atlas job of the autoencoder will write: the scripted worker copies it from here. */
async function writeSampleAtlas(paths: WorkspacePaths): Promise<void> {
  await writeAtlas(join(paths.folder, 'ready-atlas.safetensors'), makeAtlas(8))
  const ids = Int32Array.from([0, 1].flatMap((document) => [...TEXT.ids(document, 0, 64)]))
  const file = join(paths.corpora, tokensFileName({ dataset: DATASET, model: MODEL }))
  await writeCorpusTokens(file, { ids, lengths: Int32Array.of(64, 64) })
}
