/** Questions that are answered in parts: order, errors, and an end when the asker goes away. */
import { resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Changes } from '../../src/main/jobs/changes'
import { PartQueue } from '../../src/main/jobs/part-queue'
import { findRuntime } from '../../src/main/jobs/runtime'
import { WarmWorker } from '../../src/main/jobs/warm-worker'
import { silentLog } from '../../src/main/log'

const workerPath = resolve(import.meta.dirname, '../fixtures/scripted-worker.mjs')
const model = { name: 'm', path: '/m', sha256: 'a' }

function openWarm(): WarmWorker {
  const worker = new WarmWorker({
    command: { workerPath, runtime: findRuntime(), log: silentLog() },
    changes: new Changes(),
  })
  onTestFinished(() => worker.close())
  return worker
}
const count = (worker: WarmWorker, prompt: string, maxTokens: number, signal = new AbortController().signal) =>
  worker.stream(
    'generate',
    { model, prompts: [prompt], sampling: { maxTokens, temperature: 0, topP: 1, seed: 0 } },
    signal,
  )
async function idsOf(stream: ReturnType<typeof count>, into: number[] = []): Promise<number[]> {
  for await (const part of stream) if (part.type === 'token') into.push(part.id)
  return into
}
const ask = (worker: WarmWorker) => worker.ask('chatText', { model, messages: [] })

describe('a stream', () => {
  it('gives every part in order, one stream after the other', async () => {
    const worker = openWarm()
    const both = await Promise.all([idsOf(count(worker, 'a', 50)), idsOf(count(worker, 'b', 3))])
    expect(both).toEqual([Array.from({ length: 50 }, (_, i) => i), [0, 1, 2]])
  })
  it.each([
    ['fails', 'prompt-empty'],
    ['dies', 'worker-lost'],
  ])('that %s gives what came before, then the error', async (prompt, code) => {
    const worker = openWarm()
    const got: number[] = []
    await expect(idsOf(count(worker, prompt, 9), got)).rejects.toMatchObject({ code })
    expect(got).toEqual([0, 1])
    expect(await idsOf(count(worker, 'a', 2))).toEqual([0, 1])
  })
  it('ends in the worker when the asker leaves the loop, so that the next question is answered', async () => {
    const worker = openWarm()
    for await (const part of count(worker, 'a', 1_000_000)) if (part.type === 'token' && part.id === 3) break
    expect(await ask(worker)).toHaveProperty('pid', worker.pid)
  })
  it('ends with `cancelled` when its signal fires, before or after it has begun', async () => {
    const worker = openWarm()
    const stop = new AbortController()
    const running = idsOf(count(worker, 'a', 1_000_000, stop.signal))
    const waiting = idsOf(count(worker, 'b', 3, stop.signal))
    setTimeout(() => stop.abort(), 30)
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(await ask(worker)).toHaveProperty('pid', worker.pid)
    await expect(idsOf(count(worker, 'c', 3, stop.signal))).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('a queue of parts', () => {
  it('hands on what was pushed before and after the loop began, and nothing after its end', async () => {
    const queue = new PartQueue<number>()
    queue.push(1)
    const got: number[] = []
    const looping = (async () => {
      for await (const part of queue) got.push(part)
    })()
    queue.push(2)
    await Promise.resolve()
    queue.push(3)
    queue.end()
    queue.push(4)
    await looping
    expect(got).toEqual([1, 2, 3])
  })
})
