/** Windows, pages and commands beside the owner of a workspace: they go on when it ends, and it waits for commands. */
import { expect, it, onTestFinished } from 'vitest'
import { openLasting } from '../../src/main/lasting-handlers'
import type { OpenedHandlers } from '../../src/main/open-handlers'
import { connectToHost } from '../../src/main/web/client'
import { startHost } from '../../src/main/web/host'
import type { MonoscopeHandlers } from '../../src/shared/contract'
import { AppError } from '../../src/shared/errors'

const never = new AbortController().signal

/** What is opened first, and how its owner goes away. */
function guest(handlers: Partial<MonoscopeHandlers>): { opened: OpenedHandlers; leave(): void } {
  let leave: () => void = () => undefined
  const lost = new Promise<void>((resolve) => (leave = resolve))
  // Only the handlers that a test gives are asked.
  const all = handlers as MonoscopeHandlers
  const opened = { handlers: all, isOwner: false, lost, onUnexpected: () => undefined, close: () => Promise.resolve() }
  return { opened, leave: () => leave() }
}

const owner = (handlers: Partial<MonoscopeHandlers>): OpenedHandlers => ({
  ...guest(handlers).opened,
  isOwner: true,
  lost: new Promise(() => undefined),
})

it('calls and feeds go on with whoever owns the workspace next', async () => {
  const first = guest({
    'models.list': () => Promise.resolve([]),
    'jobs.watch': async function* () {
      yield { id: 1 } as never
      await first.opened.lost
      throw new AppError('connection-lost')
    },
  })
  const second = owner({
    'models.list': () => Promise.resolve([{ id: 2 }] as never),
    'jobs.watch': async function* () {
      yield* [{ id: 2 } as never]
      await Promise.resolve()
    },
  })
  // The old owner is not quite gone at the second try.
  const tries = [
    () => Promise.resolve(first.opened),
    () => Promise.reject(new AppError('workspace-open', { path: 'x', pid: 1 })),
  ]
  const lasting = await openLasting(() => tries.shift()?.() ?? Promise.resolve(second))
  expect(await lasting.handlers['models.list']({}, never)).toEqual([])
  const seen: unknown[] = []
  for await (const job of lasting.handlers['jobs.watch']({ jobId: 1 }, never)) {
    seen.push(job)
    if (seen.length === 1) first.leave()
  }
  expect(seen).toEqual([{ id: 1 }, { id: 2 }])
  expect(await lasting.handlers['models.list']({}, never)).toEqual([{ id: 2 }])
})

it('a try to find the next owner that fails is made again at the next question', async () => {
  const first = guest({ 'models.list': () => Promise.resolve([]) })
  const second = owner({ 'models.list': () => Promise.resolve([{ id: 2 }] as never) })
  const busy = new AppError('workspace-busy', { path: 'x', pid: 1 })
  const tries = [() => Promise.resolve(first.opened), () => Promise.reject(busy)]
  const lasting = await openLasting(() => tries.shift()?.() ?? Promise.resolve(second))
  first.leave()
  await first.opened.lost
  await expect(lasting.handlers['models.list']({}, never)).rejects.toMatchObject({ code: 'workspace-busy' })
  expect(await lasting.handlers['models.list']({}, never)).toEqual([{ id: 2 }])
})

it('an owner waits for commands and not for windows', async () => {
  const host = await startHost({ handlers: {} as MonoscopeHandlers, rendererFolder: null })
  onTestFinished(() => host.close())
  const window = await connectToHost(host)
  expect(host.commands()).toBe(0)
  await host.commandsGone()
  const command = await connectToHost(host, { isCommand: true })
  expect(host.commands()).toBe(1)
  const gone = { is: false }
  const waiting = host.commandsGone().then(() => (gone.is = true))
  await Promise.resolve()
  expect(gone.is).toBe(false)
  command.close()
  await waiting
  expect(gone.is).toBe(true)
  window.close()
  await window.closed
})
