/** Whatever arrives on the port, the host goes on: raw request lines, headers, upgrades and frames that no browser would send. */
import { connect, type Socket } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Random } from '../../src/main/engine/train/random'
import { startHost, type Host } from '../../src/main/web/host'
import { probeHost } from '../../src/main/web/probe'
import type { MonoscopeHandlers } from '../../src/shared/contract'
import { temporaryFolder } from '../fixtures/samples'

async function startedHost(): Promise<Host> {
  const rendererFolder = join(temporaryFolder(), 'page')
  mkdirSync(rendererFolder)
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html><title>page</title>')
  const host = await startHost({ handlers: {} as MonoscopeHandlers, rendererFolder })
  onTestFinished(() => host.close())
  return host
}

/** Sends bytes as they are and gives the first line of the answer, or '' where the connection just ends. */
function send(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket: Socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.on('error', () => resolve(text.split('\r\n')[0] ?? ''))
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
  })
}

/** Sends bytes and resets the connection without reading what comes back. */
function sendAndReset(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => socket.resetAndDestroy()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
}

const TARGETS = [
  ...[
    '//',
    '///',
    '//[',
    '//:80',
    '//a:99999',
    '/\\',
    '/\\\\',
    '//127.0.0.1',
    'http://',
    'http://[',
    'http://a:99999/',
    '*',
    '%',
  ],
  ...[
    '/%',
    '/%00',
    '/%c0%af',
    '/%zz',
    '/?token=%',
    '/#',
    '/..',
    '/../..',
    '/;',
    '/?',
    '//?token=x',
    '/alive?token',
    '/wire',
  ],
  ...['/\t', '/a b', 'a', ':', '?', '[::1]', 'javascript:0', `/${'a'.repeat(9000)}`, `/?token=${'%41'.repeat(2000)}`],
]

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

describe('the host survives', () => {
  it('every request target, as a page and as an upgrade', async () => {
    const host = await startedHost()
    for (const target of TARGETS) {
      for (const extra of ['', UPGRADE, UPGRADE + KEY]) {
        const head = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\n${extra}`
        expect(await send(host.port, `${head}Connection: close\r\n\r\n`), target).toMatch(
          /^(HTTP\/1\.1 [1-5]\d\d .*|)$/,
        )
      }
    }
    expect(await probeHost(host)).toBe('ours')
  })

  it('refuses what is no path with 400', async () => {
    const { port } = await startedHost()
    for (const target of ['//', '///', '//[', '//:80', '//a:99999', '/\\', 'http://127.0.0.1/']) {
      const line = await send(port, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
      expect(line, target).toBe('HTTP/1.1 400 Bad Request')
    }
  })

  it('refused upgrades that are reset at once', async () => {
    const host = await startedHost()
    for (let i = 0; i < 50; i++) {
      const head = `GET /wire?token=wrong HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\n${UPGRADE}${KEY}\r\n`
      await sendAndReset(host.port, head)
    }
    expect(await probeHost(host)).toBe('ours')
  })

  it('ranges that no file has', async () => {
    const host = await startedHost()
    for (const range of ['bytes=9-2', 'bytes=-', 'bytes=9999-', 'x', 'bytes=1-1,2-2', `bytes=${'9'.repeat(40)}-`]) {
      await send(
        host.port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nRange: ${range}\r\nConnection: close\r\n\r\n`,
      )
    }
    expect(await probeHost(host)).toBe('ours')
  })

  it('500 requests of random bytes in every part', async () => {
    const host = await startedHost()
    const random = Random.fromSeed(20, 1)
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.int(256)))
    for (let i = 0; i < 500; i++) {
      const parts = [`GET /`, ` HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\n`, UPGRADE, KEY, '\r\n'].map((part) =>
        random.uniform() < 0.3 ? bytes(1 + random.int(40)) : Buffer.from(part),
      )
      await send(host.port, Buffer.concat(parts))
    }
    expect(await probeHost(host)).toBe('ours')
  })

  it('200 frames of random bytes on an open wire', async () => {
    const host = await startedHost()
    const random = Random.fromSeed(20, 2)
    for (let i = 0; i < 200; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${host.port}/wire?token=${host.token}`)
      const length = random.int(60)
      const bytes = Buffer.from(Array.from({ length }, () => random.int(256)))
      await new Promise<void>((resolve) => {
        socket.on('open', () => socket.send(bytes, () => socket.close()))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
      })
    }
    expect(await probeHost(host)).toBe('ours')
  })
})
