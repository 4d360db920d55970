/** What the shell knows of the program: asked on every connection, warmed up once, and told when jobs end. */
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'
import type { AppInfo, AppStatus } from '../../../src/shared/contract/app'
import type { Job } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'

const host = vi.hoisted(() => ({
  calls: [] as string[],
  answer: (_name: string): unknown => null,
  tellStatus: (_status: unknown): void => undefined,
  feeds: 0,
}))
const connectionState = ref('open')
vi.mock('../../../src/renderer/app/client', () => ({
  get connectionState() {
    return connectionState
  },
  client: {
    call: (name: string) => {
      host.calls.push(name)
      return new Promise((resolve) => resolve(host.answer(name)))
    },
    feed: (_name: string, _input: unknown, onNext: (status: unknown) => void) => {
      host.feeds++
      host.tellStatus = onNext
      return () => undefined
    },
  },
}))

const { useAppInfo } = await import('../../../src/renderer/app/info.store')

const backend = { name: 'wasm' as const, device: 'WebAssembly', reason: '' }
const info: AppInfo = {
  ...{ version: '0.1.0', host: 'browser', workspace: { name: 'ws', path: '/ws' }, backend: null, cores: 2 },
  ...{ totalMemoryBytes: 8e9, freeMemoryBytes: 4e9, freeDiskBytes: 1e10, hasDialogs: false },
}
const job = (id: number, state: Job['state']): Job => ({
  ...{
    id,
    kind: 'train',
    state,
    runId: id,
    saeId: null,
    title: `run ${id}`,
    done: 3,
    total: 10,
    tokensPerSecond: null,
  },
  ...{
    failure: null,
    createdAt: '2026-01-01',
    startedAt: '2026-01-01',
    endedAt: state === 'done' ? '2026-01-02' : null,
  },
})
const status = (...jobs: Job[]): AppStatus => ({ backend, usedMemoryBytes: 1, totalMemoryBytes: 2, jobs })
let scope: EffectScope
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

/** Starts the store as the shell does, until the test ends. */
async function startApp() {
  const app = useAppInfo()
  scope.run(() => app.start())
  await settle()
  return app
}

beforeEach(() => {
  scope = effectScope()
  setActivePinia(createPinia())
  connectionState.value = 'open'
  Object.assign(host, { calls: [], feeds: 0, answer: (name: string) => (name === 'app.info' ? info : backend) })
})
afterEach(() => scope.stop())

describe('app info', () => {
  it('starts the warm worker when no backend is known yet', async () => {
    const app = await startApp()
    expect(host.calls).toEqual(['app.info', 'app.warmUp'])
    expect(app.info?.backend).toEqual(backend)
  })

  it('leaves a running worker alone', async () => {
    host.answer = () => ({ ...info, backend })
    const app = await startApp()
    expect(host.calls).toEqual(['app.info'])
    expect(app.error).toBeNull()
  })

  it('keeps what is known when the worker does not start, and says why', async () => {
    const failure = new AppError('worker-missing', { path: 'node', reason: 'not found' })
    host.answer = (name) => {
      if (name === 'app.info') return info
      throw failure
    }
    const app = await startApp()
    expect(app.error).toBe(failure)
    expect(app.info).toEqual(info)
  })

  it('asks again on every new connection', async () => {
    await startApp()
    connectionState.value = 'lost'
    await nextTick()
    expect(host.feeds).toBe(1)
    connectionState.value = 'open'
    await nextTick()
    await settle()
    expect(host.feeds).toBe(2)
    expect(host.calls.filter((name) => name === 'app.info')).toHaveLength(2)
  })

  it('tells the running job, how many wait, and that one has ended', async () => {
    const app = await startApp()
    host.tellStatus(status(job(1, 'running'), job(2, 'queued'), job(3, 'queued')))
    expect([app.runningJob?.id, app.queuedJobs, app.finishedJobs]).toEqual([1, 2, 0])
    host.tellStatus(status(job(1, 'done'), job(2, 'running'), job(3, 'queued')))
    expect([app.runningJob?.id, app.queuedJobs, app.finishedJobs]).toEqual([2, 1, 1])
    host.tellStatus(status(job(1, 'done'), job(2, 'running'), job(3, 'queued')))
    expect(app.finishedJobs).toBe(1)
  })
})
