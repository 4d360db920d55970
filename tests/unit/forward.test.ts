/** Handlers that forward to another process answer what it answers, and end what is no longer wanted. */
import { describe, expect, it } from 'vitest'
import { forwardTo } from '../../src/main/web/forward'
import { contract, type MonoscopeHandlers } from '../../src/shared/contract'
import { AppError } from '../../src/shared/errors'
import { connect, memoryWire, serve } from '../../src/shared/wire'

/** An asker, a forwarder and an owner with these handlers, joined by two wires. */
function chain(handlers: Partial<MonoscopeHandlers>) {
  const near = memoryWire()
  const far = memoryWire()
  serve(far.b, contract, handlers as MonoscopeHandlers)
  serve(near.b, contract, forwardTo(connect<typeof contract>(far.a)))
  return { client: connect<typeof contract>(near.a), near, far }
}

const status = (jobs: number) => ({
  backend: null,
  usedMemoryBytes: jobs,
  totalMemoryBytes: 10,
  jobs: [],
})
const tick = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('forwardTo', () => {
  it('passes answers and errors on', async () => {
    const { client } = chain({
      'models.list': () => Promise.resolve([]),
      'models.remove': ({ modelId }) => Promise.reject(new AppError('not-found', { what: 'model', id: modelId })),
    })
    expect(await client.call('models.list', {})).toEqual([])
    await expect(client.call('models.remove', { modelId: 4 })).rejects.toMatchObject({
      code: 'not-found',
      details: { what: 'model', id: 4 },
    })
  })

  it('passes every value of a feed on, in order, then its end', async () => {
    const { client } = chain({
      async *'app.watchStatus'() {
        for (let i = 0; i < 200; i++) yield await Promise.resolve(status(i))
      },
    })
    const seen: number[] = []
    await new Promise<void>((resolve, reject) => {
      client.feed(
        'app.watchStatus',
        {},
        (value) => seen.push(value.usedMemoryBytes),
        (error) => (error ? reject(error) : resolve()),
      )
    })
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })

  it('passes the error of a feed on after its values', async () => {
    const { client } = chain({
      async *'app.watchStatus'() {
        yield await Promise.resolve(status(1))
        throw new AppError('internal', { reason: 'gone' })
      },
    })
    const seen: number[] = []
    const error = await new Promise((resolve) => {
      client.feed('app.watchStatus', {}, (value) => seen.push(value.usedMemoryBytes), resolve)
    })
    expect(seen).toEqual([1])
    expect(error).toMatchObject({ code: 'internal' })
  })

  it('stops the feed of the owner when the asker goes away', async () => {
    let stopped = false
    const { client, near } = chain({
      async *'app.watchStatus'(_, signal) {
        signal.addEventListener('abort', () => (stopped = true))
        yield status(1)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })
    client.feed('app.watchStatus', {}, () => undefined)
    await tick()
    expect(stopped).toBe(false)
    near.close()
    await tick()
    expect(stopped).toBe(true)
  })

  it('says that the connection was lost when the owner closes', async () => {
    const { client, far } = chain({ 'models.list': () => new Promise(() => undefined) })
    const answer = client.call('models.list', {})
    await tick()
    far.close()
    await expect(answer).rejects.toMatchObject({ code: 'connection-lost' })
  })
})
