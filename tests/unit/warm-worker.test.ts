/** The warm worker: started at the first question, ended when it is idle, closed, or deaf. */
import { resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Changes } from '../../src/main/jobs/changes'
import { findRuntime } from '../../src/main/jobs/runtime'
import { WarmWorker } from '../../src/main/jobs/warm-worker'
import { silentLog } from '../../src/main/log'

const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('warm worker', () => {
  const warm = (idleMs?: number) => {
    const command = { workerPath, runtime: findRuntime(), log: silentLog() }
    const worker = new WarmWorker({ command, changes: new Changes(), ...(idleMs === undefined ? {} : { idleMs }) })
    onTestFinished(() => worker.close())
    return worker
  }
  const ask = (worker: WarmWorker, path: string, signal?: AbortSignal) =>
    worker.ask('inspectDataset', { path, textField: 'text', deduplicate: false }, signal)

  it('starts at the first question and answers in order', async () => {
    const worker = warm()
    expect(worker.pid).toBeUndefined()
    const answers = await Promise.all([ask(worker, '/slow'), ask(worker, '/b'), ask(worker, '/c')])
    expect(answers).toMatchObject([{ path: '/slow' }, { path: '/b' }, { path: '/c' }])
  })

  it('passes refusals on, rejects when the worker dies, and starts anew', async () => {
    const worker = warm()
    await expect(ask(worker, '/refuses')).rejects.toMatchObject({ code: 'tokenizer-missing' })
    const before = worker.pid
    const [dies, after] = await Promise.allSettled([ask(worker, '/dies'), ask(worker, '/b')])
    expect(dies).toMatchObject({
      status: 'rejected',
      reason: { code: 'worker-lost', details: { reason: 'exit code 9' } },
    })
    expect(after).toMatchObject({ status: 'fulfilled', value: { path: '/b' } })
    expect(worker.pid).not.toBe(before)
  })

  it('drops what is no longer wanted', async () => {
    const worker = warm()
    const stop = new AbortController()
    const slow = ask(worker, '/slow', stop.signal)
    const waiting = ask(worker, '/waiting', stop.signal)
    const wanted = ask(worker, '/wanted')
    stop.abort()
    await expect(slow).rejects.toMatchObject({ code: 'cancelled' })
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(await wanted).toMatchObject({ path: '/wanted' })
  })

  it('ends a worker that goes on with what nobody wants any more, and asks a new one what waited', async () => {
    const command = { workerPath, runtime: findRuntime(), log: silentLog() }
    const worker = new WarmWorker({ command, changes: new Changes(), obeyMs: 20 })
    onTestFinished(() => worker.close())
    await ask(worker, '/a')
    const before = worker.pid
    const stop = new AbortController()
    const never = ask(worker, '/never', stop.signal)
    const wanted = ask(worker, '/wanted')
    stop.abort()
    await expect(never).rejects.toMatchObject({ code: 'cancelled' })
    expect(await wanted).toMatchObject({ path: '/wanted' })
    expect(worker.pid).not.toBe(before)
    expect(isAlive(before)).toBe(false)
  })

  it('leaves when it is idle, and when it is closed', async () => {
    const worker = warm(30)
    await ask(worker, '/a')
    const { pid } = worker
    await expect.poll(() => worker.pid).toBeUndefined()
    await expect.poll(() => isAlive(pid)).toBe(false)
    await ask(worker, '/b')
    const again = worker.pid
    const waiting = ask(worker, '/slow')
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    await worker.close()
    await rejected
    expect(isAlive(again)).toBe(false)
    await expect(ask(worker, '/c')).rejects.toMatchObject({ code: 'cancelled' })
  })
})
