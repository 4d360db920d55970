// @vitest-environment happy-dom
/** The page's client over a socket that opens, breaks and comes back; the launch token leaves the address. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { packFrame, unpackFrame } from '../../../src/renderer/app/frames'

/** A socket whose other end is the test. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1
  static made: FakeSocket[] = []
  readyState = 0
  binaryType = 'blob'
  readonly sent: unknown[] = []

  constructor(readonly address: string) {
    super()
    FakeSocket.made.push(this)
  }
  send(frame: Uint8Array): void {
    this.sent.push(unpackFrame(frame))
  }
  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }
  answer(message: unknown): void {
    const data = new Uint8Array(packFrame(message)).buffer
    this.dispatchEvent(new MessageEvent('message', { data }))
  }
  close(): void {
    this.readyState = 3
    this.dispatchEvent(new Event('close'))
  }
}

const socket = (index: number): FakeSocket => {
  const made = FakeSocket.made[index]
  if (!made) throw new Error(`socket ${index} was not opened`)
  return made
}

async function start() {
  return import('../../../src/renderer/app/client')
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetModules()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.made = []
  sessionStorage.clear()
  history.replaceState(null, '', '/?token=abc%2Bd#/runs')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('client', () => {
  it('takes the token out of the address and keeps it for a reload', async () => {
    await start()
    expect(new URL(socket(0).address).searchParams.get('token')).toBe('abc+d')
    expect(location.search).toBe('')
    expect(location.hash).toBe('#/runs')
    vi.resetModules()
    await start()
    expect(new URL(socket(1).address).searchParams.get('token')).toBe('abc+d')
  })

  it('lets calls wait for the first connection', async () => {
    const { client, connectionState } = await start()
    const answer = client.call('models.remove', { modelId: 7 })
    await vi.advanceTimersByTimeAsync(10)
    expect([connectionState.value, socket(0).sent]).toEqual(['connecting', []])
    socket(0).open()
    await vi.advanceTimersByTimeAsync(0)
    expect(connectionState.value).toBe('open')
    expect(socket(0).sent).toEqual([{ id: 1, name: 'models.remove', input: { modelId: 7 } }])
    socket(0).answer({ id: 1, ok: null })
    await expect(answer).resolves.toBeNull()
  })

  it('fails what was open when the connection breaks, and reconnects', async () => {
    const { client, connectionState } = await start()
    socket(0).open()
    const ended: unknown[] = []
    const lost = client.call('models.list', {})
    client.feed(
      'runs.watch',
      { runId: 1 },
      () => undefined,
      (error) => ended.push(error?.code),
    )
    await vi.advanceTimersByTimeAsync(0)
    const failed = expect(lost).rejects.toMatchObject({ code: 'connection-lost' })
    socket(0).close()
    await failed
    expect([ended, connectionState.value]).toEqual([['connection-lost'], 'lost'])

    const later = client.call('models.list', {})
    await vi.advanceTimersByTimeAsync(250)
    socket(1).open()
    await vi.advanceTimersByTimeAsync(0)
    expect(connectionState.value).toBe('open')
    socket(1).answer({ id: 1, ok: [] })
    await expect(later).resolves.toEqual([])
  })

  it('waits longer after every failed try', async () => {
    await start()
    for (const [tries, wait] of [250, 500, 1000, 2000, 4000, 4000].entries()) {
      socket(tries).close()
      await vi.advanceTimersByTimeAsync(wait - 1)
      expect(FakeSocket.made).toHaveLength(tries + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(FakeSocket.made).toHaveLength(tries + 2)
    }
  })

  it('never asks for a feed that was stopped before the connection stood', async () => {
    const { client } = await start()
    client.feed('app.watchStatus', {}, () => undefined)()
    socket(0).open()
    await vi.advanceTimersByTimeAsync(0)
    expect(socket(0).sent).toEqual([])
  })

  it('keeps typed arrays', async () => {
    const { client } = await start()
    socket(0).open()
    const answer = client.call('features.get', { saeId: 1, featureIndex: 2 })
    await vi.advanceTimersByTimeAsync(0)
    socket(0).answer({ id: 1, ok: { histogram: new Float32Array([1, 2.5]) } })
    expect((await answer).histogram).toEqual(new Float32Array([1, 2.5]))
  })

  it('uses the bridge of the desktop app where there is one', async () => {
    const sent: unknown[] = []
    let tell: (message: unknown) => void = () => undefined
    vi.stubGlobal('monoscope', {
      send: (message: unknown) => sent.push(message),
      onMessage: (listener: (message: unknown) => void) => (tell = listener),
    })
    const { client, connectionState } = await start()
    const answer = client.call('tags.list', { saeId: 3 })
    expect([FakeSocket.made.length, connectionState.value]).toEqual([0, 'open'])
    expect(sent).toEqual([{ id: 1, name: 'tags.list', input: { saeId: 3 } }])
    tell({ id: 1, ok: [] })
    await expect(answer).resolves.toEqual([])
  })
})
