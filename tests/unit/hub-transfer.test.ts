/** One file from the hub: ranges, refusals, broken lines, wrong content, and where the token goes. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { request, type HubAccess } from '../../src/main/hub/http'
import { resolveUrl, type RepoFile } from '../../src/main/hub/listing'
import { transferFile } from '../../src/main/hub/transfer'
import { gitHash, sha256, startHubServer, type Fault, type HubServer } from '../fixtures/hub-server'

const TOKEN = 'hf_secretOfTheTests'
const commit = 'c'.repeat(40)
const large = randomBytes(300_000)
const small = Buffer.from('{"a": 1}\n')
const repo = { kind: 'model' as const, name: 'org/name', commit }

let folder = ''
let server: HubServer
let token: string | null = null
const pauses: number[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'monoscope-hub-'))
  const files = { 'w.safetensors': { bytes: large, lfs: true, xet: true }, 'config.json': { bytes: small } }
  const gated = { 'w.safetensors': { bytes: large, lfs: true } }
  server = await startHubServer([
    { ...repo, revisions: { main: { commit, files } } },
    { kind: 'model', name: 'org/gated', token: TOKEN, revisions: { main: { commit, files: gated } } },
  ])
  token = null
  pauses.length = 0
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const access = (): HubAccess => ({
  url: server.url,
  token: () => Promise.resolve(token),
  fetch: globalThis.fetch,
  wait: (ms) => Promise.resolve(pauses.push(ms)),
})

const lfs = (bytes: Uint8Array): RepoFile => ({
  path: 'w.safetensors',
  bytes: bytes.length,
  hash: { kind: 'sha256', hex: sha256(bytes) },
})
const blob = () => join(folder, 'blob')
const partial = () => join(folder, 'blob.incomplete')
const contents = () => server.contentOf('w.safetensors')

type Options = {
  file?: RepoFile
  name?: string
  stallMs?: number
  signal?: AbortSignal
  onBytes?: (bytes: number) => void
}

function transfer({ file = lfs(large), name = repo.name, signal, ...options }: Options = {}): Promise<void> {
  return transferFile({
    ...{ access: access(), signal: signal ?? new AbortController().signal, source: name, file, blob: blob() },
    ...{ partial: partial(), url: resolveUrl(server.url, { ...repo, name }, file.path), onBytes: () => undefined },
    ...options,
  })
}

const misbehave = (...faults: Fault[]) => server.faults.set('w.safetensors', faults)

describe('a whole file', () => {
  it('comes through the redirect by plain HTTP, also when it is flagged for Xet', async () => {
    const seen: number[] = []
    await transfer({ onBytes: (bytes) => seen.push(bytes) })
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(existsSync(partial())).toBe(false)
    expect(server.seen.map((one) => `${one.server} ${one.status}`)).toEqual(['hub 302', 'cdn 200'])
    expect(seen.at(0)).toBe(0)
    expect(seen.at(-1)).toBe(large.length)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('is checked by the hash of git when it is small', async () => {
    const file: RepoFile = { path: 'config.json', bytes: small.length, hash: { kind: 'git', hex: gitHash(small) } }
    await transfer({ file })
    expect(readFileSync(blob(), 'utf8')).toBe(small.toString())
    server.faults.set('config.json', [{ content: Buffer.from('{"a": 2}\n') }])
    await expect(transfer({ file })).rejects.toMatchObject({ code: 'hub-checksum' })
  })

  it('needs no request when it is empty', async () => {
    await transfer({ file: lfs(new Uint8Array()) })
    expect(readFileSync(blob())).toHaveLength(0)
    expect(server.seen).toEqual([])
  })
})

describe('what is there already', () => {
  it('is not asked for again', async () => {
    writeFileSync(partial(), large.subarray(0, 200_000))
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents()).toMatchObject([{ range: 'bytes=200000-', status: 206, bytes: 100_000 }])
  })

  it('is enough when it is whole', async () => {
    writeFileSync(partial(), large)
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(server.seen).toEqual([])
  })

  it('is dropped when it is longer than the file', async () => {
    writeFileSync(partial(), Buffer.concat([large, small]))
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents()).toMatchObject([{ range: undefined, status: 200 }])
  })

  it('is dropped when the server cannot continue', async () => {
    writeFileSync(partial(), large.subarray(0, 5000))
    misbehave({ ignoreRange: true })
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents()).toMatchObject([{ range: 'bytes=5000-', status: 200, bytes: large.length }])
  })

  it('is dropped when the server has fewer bytes, or sends other ones', async () => {
    writeFileSync(partial(), large.subarray(0, 5000))
    misbehave({ content: large.subarray(0, 100) }, { endAfter: 10 }, { shiftRange: 3 })
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents().map(({ range, status }) => `${range ?? 'all'} ${status}`)).toEqual([
      ...['bytes=5000- 416', 'all 200', 'bytes=10- 206', 'all 200'],
    ])
  })

  it('is thrown away when it belongs to another file', async () => {
    writeFileSync(partial(), randomBytes(5000))
    await expect(transfer()).rejects.toMatchObject({
      code: 'hub-checksum',
      details: { file: 'w.safetensors', source: 'org/name' },
    })
    expect(existsSync(partial())).toBe(false)
    expect(existsSync(blob())).toBe(false)
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
  })
})

describe('a broken line', () => {
  it('costs no more than what was on it', async () => {
    misbehave({ cutAfter: 100_000 }, { cutAfter: 100_000 })
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents()).toHaveLength(3)
  })

  it('is taken up where it broke, as long as the content is the same', async () => {
    misbehave({ endAfter: 100_000 }, { endAfter: 150_000 })
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    const etag = `"cdn-${sha256(large).slice(0, 8)}"`
    expect(contents()).toMatchObject([
      { range: undefined, bytes: 100_000 },
      { range: 'bytes=100000-', ifRange: etag, bytes: 150_000 },
      { range: 'bytes=250000-', ifRange: etag, bytes: 50_000 },
    ])
    expect(pauses).toEqual([500, 500])
  })

  it('is left after six failures in a row, with pauses that double, and what has arrived stays', async () => {
    misbehave({ endAfter: 1000 }, ...Array.from({ length: 6 }, () => ({ status: 503 })))
    await expect(transfer()).rejects.toMatchObject({ code: 'hub-unreachable', details: { reason: 'status 503' } })
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000])
    expect(readFileSync(partial()).equals(large.subarray(0, 1000))).toBe(true)
    server.faults.clear()
    await transfer()
    expect(contents().at(-1)).toMatchObject({ range: 'bytes=1000-', bytes: large.length - 1000 })
  })

  it('waits as long as a busy server asks', async () => {
    misbehave({ status: 429, headers: { 'retry-after': '7' } }, { status: 503 })
    await transfer()
    expect(pauses).toEqual([7000, 1000])
  })

  it('is given up when nothing comes', async () => {
    misbehave({ stallAfter: 70_000 })
    await transfer({ stallMs: 200 })
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents()[1]).toMatchObject({ range: 'bytes=70000-' })
  })

  it('says why when nobody listens', async () => {
    await server.close()
    await expect(transfer()).rejects.toMatchObject({ code: 'hub-unreachable', details: { reason: 'ECONNREFUSED' } })
    server = await startHubServer([])
  })
})

describe('wrong content', () => {
  it.each([
    ['other bytes', () => randomBytes(large.length)],
    ['more bytes', () => Buffer.concat([small, large])],
  ])('%s are thrown away', async (_, content) => {
    misbehave({ content: content() })
    await expect(transfer()).rejects.toMatchObject({ code: 'hub-checksum' })
    expect(existsSync(blob())).toBe(false)
    expect(existsSync(partial())).toBe(false)
  })
})

describe('refusals', () => {
  it.each([
    [403, 'hub-denied'],
    [404, 'hub-not-found'],
    [400, 'hub-unreachable'],
  ])('%s is final', async (status, code) => {
    misbehave({ status })
    await expect(transfer()).rejects.toMatchObject({ code })
    expect(pauses).toEqual([])
  })

  it('a gated repository opens with the token, which no other server sees', async () => {
    await expect(transfer({ name: 'org/gated' })).rejects.toMatchObject({
      code: 'hub-denied',
      details: { source: 'org/gated' },
    })
    token = TOKEN
    await transfer({ name: 'org/gated' })
    expect(readFileSync(blob()).equals(large)).toBe(true)
    const headers = server.seen.map((one) => `${one.server} ${one.authorization ?? '-'}`)
    expect(headers).toEqual(['hub -', `hub Bearer ${TOKEN}`, 'cdn -'])
  })

  it('follows no redirect to another kind of address, and not for ever', async () => {
    const lead = (location: string): HubAccess => ({
      ...access(),
      fetch: () => Promise.resolve(new Response(null, { status: 302, headers: { location } })),
    })
    const ask = (location: string, url = server.url) =>
      request(lead(location), url, { signal: new AbortController().signal })
    await expect(ask('file:///x')).rejects.toMatchObject({ code: 'hub-unreachable' })
    await expect(ask('http://127.0.0.1/x', 'https://127.0.0.1/')).rejects.toMatchObject({ code: 'hub-unreachable' })
    await expect(ask('/round')).rejects.toMatchObject({ details: { reason: 'too many redirects' } })
  })
})

describe('a stop', () => {
  it('keeps what has arrived for the next try', async () => {
    misbehave({ stallAfter: 120_000 })
    const stop = new AbortController()
    const onBytes = (bytes: number) => {
      if (bytes === 120_000) stop.abort()
    }
    await expect(transfer({ signal: stop.signal, onBytes })).rejects.toMatchObject({ code: 'cancelled' })
    expect(readFileSync(partial()).equals(large.subarray(0, 120_000))).toBe(true)
    await transfer()
    expect(readFileSync(blob()).equals(large)).toBe(true)
    expect(contents().at(-1)).toMatchObject({ range: 'bytes=120000-', bytes: 180_000 })
  })
})
