/** The web host: frames keep their types, and only who has the token, the right host and the right origin gets in. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Packr as BrowserPackr } from 'msgpackr/index-no-eval'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { connectToHost } from '../../src/main/web/client'
import { FRAME_OPTIONS, packFrame, unpackFrame } from '../../src/main/web/frames'
import { contentSecurityPolicy, startHost, type Host } from '../../src/main/web/host'
import { probeHost } from '../../src/main/web/probe'
import type { MonoscopeHandlers } from '../../src/shared/contract'
import { AppError } from '../../src/shared/errors'
import { temporaryFolder } from '../fixtures/samples'

async function host(handlers: Partial<MonoscopeHandlers> = {}): Promise<Host> {
  const rendererFolder = join(temporaryFolder(), 'page')
  mkdirSync(rendererFolder)
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(rendererFolder, '../secret.txt'), 'secret')
  // The tests below ask only for the names they give.
  const started = await startHost({ handlers: handlers as MonoscopeHandlers, rendererFolder })
  onTestFinished(() => started.close())
  return started
}

type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; body: string }

function get(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asking.on('error', reject)
    asking.end()
  })
}

/** Opens a socket; the status of the refusal, or 101. */
function upgrade(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.on('open', () => {
      resolve(101)
      socket.close()
    })
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    socket.on('error', reject)
  })
}

const message = {
  id: 7,
  ok: {
    floats: new Float32Array([1.5, -0, Number.NaN]),
    ints: new Int32Array([-1, 2 ** 31 - 1]),
    bytes: new Uint8Array([0, 255]),
    empty: new Float32Array(0),
    nested: [{ values: new Float32Array([3]), text: '한국어 🙂', nothing: null }],
    big: 2 ** 40,
    small: 0.1,
  },
}

describe('frames', () => {
  const browser = new BrowserPackr(FRAME_OPTIONS)
  it.each([
    ['host to host', (value: unknown) => unpackFrame(packFrame(value))],
    ['host to page', (value: unknown): unknown => browser.unpack(packFrame(value))],
    ['page to host', (value: unknown) => unpackFrame(browser.pack(value))],
  ])('keep typed arrays from %s', (_, trip) => {
    expect(trip(message)).toStrictEqual(message)
  })

  it('give typed arrays a buffer of their own', () => {
    const back = unpackFrame(packFrame({ id: 1, a: new Float32Array([1, 2]) })) as { a: Float32Array }
    expect(back.a.byteOffset % 4).toBe(0)
    expect(back.a.buffer.byteLength).toBe(8)
  })
})

describe('pages', () => {
  it('are served with the strict policy', async () => {
    const { port } = await host()
    const { status, headers, body } = await get(port, '/')
    expect(status).toBe(200)
    expect(body).toContain('<title>page</title>')
    expect(headers).toMatchObject({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    })
    expect((await get(port, '/features/3')).body).toContain('page')
  })

  it('stay inside their folder', async () => {
    const { port } = await host()
    for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt']) {
      expect((await get(port, path)).body).not.toContain('secret')
    }
  })

  it('are not given to foreign host names or other methods', async () => {
    const { port } = await host()
    expect((await get(port, '/', { host: `evil.example:${port}` })).status).toBe(403)
    expect((await get(port, '/', { host: `127.0.0.1.evil.example:${port}` })).status).toBe(403)
    expect((await get(port, '/', { host: 'evil.example:80:127.0.0.1' })).status).toBe(403)
    // The other end of a tunnel has a port of its own, and port 80 is not named at all.
    expect((await get(port, '/', { host: '127.0.0.1:1' })).status).toBe(200)
    expect((await get(port, '/', { host: 'localhost' })).status).toBe(200)
    expect((await get(port, '/', { host: `localhost:${port}` })).status).toBe(200)
    expect((await get(port, '/', {}, 'POST')).status).toBe(405)
  })
})

describe('wire', () => {
  it('opens only with the token, an own origin and an own host', async () => {
    const { port, token } = await host()
    const url = `ws://127.0.0.1:${port}/wire?token=${token}`
    expect(await upgrade(url)).toBe(101)
    expect(await upgrade(url, { origin: `http://127.0.0.1:${port}` })).toBe(101)
    expect(await upgrade(url, { origin: 'http://localhost:9000', host: 'localhost:9000' })).toBe(101)
    expect(await upgrade(url, { origin: `http://localhost:${port}` })).toBe(403)
    expect(await upgrade(url, { origin: 'http://127.0.0.1:1' })).toBe(403)
    expect(await upgrade(url, { origin: 'http://evil.example' })).toBe(403)
    expect(await upgrade(url, { origin: `https://127.0.0.1:${port}` })).toBe(403)
    expect(await upgrade(url, { origin: 'null' })).toBe(403)
    expect(await upgrade(url, { host: `evil.example:${port}` })).toBe(403)
    expect(await upgrade(`ws://127.0.0.1:${port}/wire`)).toBe(403)
    expect(await upgrade(`${url}x`)).toBe(403)
    expect(await upgrade(`ws://127.0.0.1:${port}/other?token=${token}`)).toBe(404)
  })

  it('answers calls and errors, and aborts when the asker goes away', async () => {
    let aborted = false
    const started = await host({
      'models.list': () => Promise.resolve([]),
      'models.remove': ({ modelId }) => Promise.reject(new AppError('not-found', { what: 'model', id: modelId })),
      'app.warmUp': (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true
            reject(new AppError('cancelled'))
          })
        }),
    })
    const { client, close } = await connectToHost(started)
    expect(await client.call('models.list', {})).toEqual([])
    await expect(client.call('models.remove', { modelId: 3 })).rejects.toMatchObject({ code: 'not-found' })
    const waiting = client.call('app.warmUp', {})
    await new Promise((resolve) => setTimeout(resolve, 20))
    close()
    await expect(waiting).rejects.toMatchObject({ code: 'connection-lost' })
    await expect.poll(() => aborted).toBe(true)
  })

  it('ends a feed whose number is used again, refuses too many, and ends all with the socket', async () => {
    const states = { started: 0, ended: 0 }
    const started = await host({
      'jobs.watch': async function* (_, signal) {
        states.started += 1
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        states.ended += 1
        yield* []
      },
    })
    const socket = new WebSocket(`ws://127.0.0.1:${started.port}/wire?token=${started.token}`)
    const failures: unknown[] = []
    socket.on('message', (data: Buffer) => {
      const message = unpackFrame(data) as { fail?: unknown }
      if (message.fail) failures.push(message.fail)
    })
    await new Promise((resolve) => socket.on('open', resolve))
    const ask = (id: number) => socket.send(packFrame({ id, name: 'jobs.watch', input: { jobId: 1 } }))
    for (let i = 0; i < 3; i++) ask(7)
    await expect.poll(() => states).toEqual({ started: 3, ended: 2 })
    for (let i = 100; i < 400; i++) ask(i)
    await expect.poll(() => failures.length).toBe(45)
    expect(failures[0]).toMatchObject({ code: 'invalid-input' })
    socket.terminate()
    await expect.poll(() => states).toEqual({ started: 258, ended: 258 })
  })

  it('holds a feed back that nobody reads', async () => {
    let sent = 0
    const started = await host({
      'jobs.watch': async function* (_, signal) {
        for (; !signal.aborted && sent < 400; sent++) yield { text: 'x'.repeat(1024 * 1024) } as never
        await Promise.resolve()
      },
    })
    const socket = new WebSocket(`ws://127.0.0.1:${started.port}/wire?token=${started.token}`)
    await new Promise((resolve) => socket.on('open', resolve))
    socket.pause()
    socket.send(packFrame({ id: 1, name: 'jobs.watch', input: { jobId: 1 } }))
    await expect.poll(() => sent).toBeGreaterThan(4)
    const at = sent
    // What the system takes besides is a few megabytes.
    for (let look = 0; look < 5; look++) expect(await probeHost(started)).toBe('ours')
    expect(sent).toBeLessThan(Math.max(100, at + 60))
    socket.terminate()
  })

  it('closes a socket that sends what is no frame', async () => {
    const { port, token } = await host()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/wire?token=${token}`)
    socket.on('open', () => socket.send('text'))
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1007)
  })

  it('says when nobody is there', async () => {
    const started = await host()
    expect(await probeHost(started)).toBe('ours')
    expect(await probeHost({ ...started, token: 'another token, wrong' })).toBe('other')
    await started.close()
    expect(await probeHost(started)).toBe('refused')
    await expect(connectToHost(started)).rejects.toMatchObject({ code: 'connection-lost' })
  })

  it('says when the port is taken', async () => {
    const { port } = await host()
    const handlers = {} as MonoscopeHandlers
    await expect(startHost({ handlers, rendererFolder: null, port })).rejects.toMatchObject({ code: 'port-taken' })
  })
})
