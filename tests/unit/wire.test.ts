/** The wire in memory: validation, feeds, aborts and closes. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../src/shared/errors'
import { call, connect, feed, memoryWire, serve, type HandlersOf } from '../../src/shared/wire'

const contract = {
  double: call(z.object({ n: z.int() }), z.number()),
  wait: call(z.object({}), z.null()),
  count: feed(z.object({ to: z.int() }), z.int()),
  bad: call(z.object({}), z.number()),
}

function joined(options = {}) {
  const seen = { aborted: 0, finished: 0, unexpected: [] as string[] }
  const handlers: HandlersOf<typeof contract> = {
    double: ({ n }) => Promise.resolve(2 * n),
    wait: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          seen.aborted++
          reject(new AppError('cancelled'))
        })
      }),
    async *count({ to }, signal) {
      try {
        for (let n = 0; n < to && !signal.aborted; n++) {
          yield n
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      } finally {
        seen.finished++
      }
    },
    // The output check must catch what the types cannot.
    bad: () => Promise.resolve('text' as unknown as number),
  }
  const wire = memoryWire()
  serve(wire.b, contract, handlers, { onUnexpected: (_, name) => seen.unexpected.push(name), ...options })
  return { client: connect<typeof contract>(wire.a), wire, seen }
}

describe('wire', () => {
  it('answers calls and refuses bad input with its place', async () => {
    const { client } = joined()
    expect(await client.call('double', { n: 4 })).toBe(8)
    await expect(client.call('double', { n: 1.5 })).rejects.toMatchObject({
      code: 'invalid-input',
      details: { name: 'double', reason: expect.stringContaining('n:') as string },
    })
  })

  it('sends every value of a feed and then its end', async () => {
    const { client } = joined()
    const values: number[] = []
    await new Promise<void>((resolve) =>
      client.feed(
        'count',
        { to: 5 },
        (n) => values.push(n),
        () => resolve(),
      ),
    )
    expect(values).toEqual([0, 1, 2, 3, 4])
  })

  it('stops a feed and lets its handler clean up', async () => {
    const { client, seen } = joined()
    const stop = client.feed('count', { to: 1e9 }, () => undefined)
    await new Promise((resolve) => setTimeout(resolve, 10))
    stop()
    await expect.poll(() => seen.finished).toBe(1)
  })

  it('aborts calls when asked to and when the wire closes', async () => {
    const { client, wire, seen } = joined()
    const stop = new AbortController()
    const first = client.call('wait', {}, stop.signal)
    const second = client.call('wait', {})
    await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    await expect(first).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => seen.aborted).toBe(1)
    wire.close()
    await expect(second).rejects.toMatchObject({ code: 'connection-lost' })
    expect(seen.aborted).toBe(2)
    await expect(client.call('double', { n: 1 })).rejects.toMatchObject({ code: 'connection-lost' })
  })

  it('finds wrong outputs when it is told to look, and reports them', async () => {
    const { client, seen } = joined({ checkOutputs: true })
    await expect(client.call('bad', {})).rejects.toMatchObject({ code: 'internal' })
    expect(seen.unexpected).toEqual(['bad'])
  })

  it('ignores messages that are none', async () => {
    const { client, wire } = joined()
    for (const junk of [null, 1, 'x', {}, { id: 'one' }, { id: 1 }, []]) {
      wire.a.send(junk)
      wire.b.send(junk)
    }
    expect(await client.call('double', { n: 1 })).toBe(2)
  })
})
