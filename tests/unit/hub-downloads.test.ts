/** Downloads of models: the cache folder byte for byte, progress, space, offline, stop and go on, and who learns the token. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Arrived, Finish } from '../../src/main/hub/downloads'
import { Hub, type HubOptions } from '../../src/main/hub/hub'
import type { TokenVault } from '../../src/main/hub/token'
import type { Download } from '../../src/shared/domain'
import { commit, modelRepos, older, shardNames, shards, TOKEN, tree, weights, whole } from '../fixtures/hub-models'
import { gitHash, sha256, startHubServer, type HubServer } from '../fixtures/hub-server'

let folder = ''
let server: HubServer
let hub: Hub
let settings: Map<string, string>
let arrived: Arrived[]
let unexpected: unknown[]

const finish: Finish = {
  model: (one) => Promise.resolve(arrived.push(one)),
  dataset: () => Promise.reject(new Error('no dataset here')),
}

function openHub(options: Partial<HubOptions> = {}): Hub {
  const { env, ...others } = options
  return new Hub({
    env: { HF_ENDPOINT: `${server.url}/`, HF_HUB_CACHE: join(folder, 'cache'), ...env },
    settings: { get: (key) => settings.get(key) ?? null, set: (key, value) => void settings.set(key, value) },
    ...{ vault: null, corpora: join(folder, 'corpora'), onUnexpected: (error) => void unexpected.push(error) },
    wait: () => Promise.resolve(),
    ...others,
  })
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'monoscope-hub-'))
  settings = new Map()
  arrived = []
  unexpected = []
  server = await startHubServer(modelRepos)
  hub = openHub()
})

afterEach(async () => {
  await hub.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = (source: string, room = hub): Download => room.downloads.start({ kind: 'model', source }, finish)

/** Waits until a download is in a state that fits, and tells all that were seen on the way. */
async function until(id: number, fits: (download: Download) => boolean, room = hub): Promise<Download[]> {
  const seen: Download[] = []
  const stop = new AbortController()
  for await (const list of room.downloads.watch(stop.signal)) {
    const download = list.find((one) => one.id === id)
    if (download) seen.push(download)
    if (download && fits(download)) break
  }
  return seen
}

const isOver = ({ state }: Download) => ['done', 'failed', 'cancelled'].includes(state)
const ended = async (source: string, room = hub): Promise<Download | undefined> =>
  (await until(start(source, room).id, isOver, room)).at(-1)
const repoFolder = (name: string) => join(folder, 'cache', `models--org--${name}`)

describe('a model', () => {
  it('fills the cache as other programs do', async () => {
    const last = await ended('hub:org/whole')
    const totalBytes = ['config.json', 'tokenizer.json', 'chat_template.jinja', 'model.safetensors'] as const
    const bytes = totalBytes.reduce((sum, name) => sum + whole[name].bytes.length, 0)
    expect(last).toMatchObject({
      state: 'done',
      source: 'org/whole',
      doneBytes: bytes,
      totalBytes: bytes,
      failure: null,
      modelId: 1,
    })
    const files = totalBytes.map((name) => {
      const { bytes: content } = whole[name]
      return { name, content, hash: name === 'model.safetensors' ? sha256(content) : gitHash(content) }
    })
    expect(tree(repoFolder('whole'))).toEqual(
      Object.fromEntries([
        ...files.map(({ hash, content }) => [`blobs/${hash}`, Buffer.from(content).toString('base64')]),
        ...files.map(({ hash, name }) => [`snapshots/${commit}/${name}`, `-> ../../blobs/${hash}`]),
        ['refs/main', Buffer.from(commit).toString('base64')],
      ]),
    )
    expect(arrived).toEqual([
      { path: join(repoFolder('whole'), 'snapshots', commit), name: 'whole', source: `hub:org/whole@${commit}` },
    ])
  })

  it('brings the shards that its index names, and counts them before they come', async () => {
    const seen = await until(start('org/sharded').id, isOver)
    expect(seen.at(-1)).toMatchObject({ state: 'done' })
    const snapshot = join(repoFolder('sharded'), 'snapshots', commit)
    expect(readdirSync(snapshot).sort()).toEqual(
      ['chat_template.jinja', 'config.json', ...shardNames, 'model.safetensors.index.json', 'tokenizer.json'].sort(),
    )
    expect(readFileSync(join(snapshot, shardNames[1])).equals(shards[1])).toBe(true)
    const totals = new Set(seen.filter(({ state }) => state === 'downloading').map(({ totalBytes }) => totalBytes))
    expect(totals).toEqual(new Set([seen.at(-1)?.doneBytes]))
  })

  it('keeps two revisions beside each other and asks only for what differs', async () => {
    await ended('org/whole')
    const before = server.bytesServed()
    expect(await ended('org/whole@v1/old')).toMatchObject({ state: 'done', source: 'org/whole@v1/old' })
    expect(server.bytesServed() - before).toBe('{"old":1}'.length)
    expect(readFileSync(join(repoFolder('whole'), 'refs', 'v1', 'old'), 'utf8')).toBe(older)
    expect(readFileSync(join(repoFolder('whole'), 'snapshots', older, 'config.json'), 'utf8')).toBe('{"old":1}')
  })

  it('reads what Python left half done, and asks only for the rest', async () => {
    await ended('org/whole')
    const blob = join(repoFolder('whole'), 'blobs', sha256(weights))
    rmSync(blob)
    writeFileSync(`${blob}.incomplete`, weights.subarray(0, 150_000))
    expect(await ended('org/whole')).toMatchObject({ state: 'done' })
    expect(server.contentOf('model.safetensors').at(-1)).toMatchObject({ range: 'bytes=150000-', bytes: 50_000 })
  })

  it('waits while the list is refused for the moment', async () => {
    server.faults.set('/revision', [{ status: 429 }]).set('/tree', [{ status: 503 }, { status: 500 }])
    expect(await ended('org/whole')).toMatchObject({ state: 'done' })
  })

  it.each([
    ['org/none', 'hub-not-found', { what: 'model', source: 'org/none' }],
    ['org/whole@v2', 'hub-not-found', { source: 'org/whole@v2' }],
    ['org/gated', 'hub-denied', { source: 'org/gated' }],
    ['org/bin', 'hub-files-missing', { files: 'model.safetensors' }],
  ])('%s fails with %s', async (source, code, details) => {
    const last = await ended(source)
    expect(last).toMatchObject({ state: 'failed', failure: { code } })
    expect(last?.failure?.details).toMatchObject(details)
    expect(unexpected).toEqual([])
  })

  it('tells what failed in its last step', async () => {
    const failing: Finish = { ...finish, model: () => Promise.reject(new Error('boom')) }
    const { id } = hub.downloads.start({ kind: 'model', source: 'org/whole' }, failing)
    expect((await until(id, isOver)).at(-1)).toMatchObject({ state: 'failed', failure: { code: 'internal' } })
    expect(unexpected).toHaveLength(1)
  })

  it('asks for more space than there is before anything is transferred', async () => {
    hub = openHub({ freeBytes: () => Promise.resolve(150_000) })
    expect(await ended('org/whole')).toMatchObject({
      failure: { code: 'hub-no-space', details: { source: 'org/whole', needed: '200 kB', free: '150 kB' } },
    })
    expect(server.bytesServed()).toBe(0)
    // What is in the cache needs no space again.
    hub = openHub()
    await ended('org/whole')
    hub = openHub({ freeBytes: () => Promise.resolve(0) })
    expect(await ended('org/whole')).toMatchObject({ state: 'done' })
  })
})

describe('starting and stopping', () => {
  it('returns the one that runs, refuses what is no source, and forgets what is dismissed', async () => {
    server.faults.set('model.safetensors', [{ stallAfter: 100_000 }])
    const first = start('org/whole')
    expect(first).toMatchObject({ state: 'listing', totalBytes: null, doneBytes: 0 })
    expect(start('hub:org/whole').id).toBe(first.id)
    expect(() => start('../x')).toThrow(expect.objectContaining({ code: 'hub-source-invalid' }))
    const other = start('org/sharded')
    expect(hub.downloads.list().map(({ id }) => id)).toEqual([other.id, first.id])
    await until(other.id, isOver)
    await hub.downloads.dismiss(first.id)
    expect(hub.downloads.list().map(({ id }) => id)).toEqual([other.id])
    await expect(hub.downloads.cancel(first.id)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('goes on after a stop where it was, also in another process', async () => {
    server.faults.set('model.safetensors', [{ stallAfter: 120_000 }])
    const { id } = start('org/whole')
    await until(id, ({ doneBytes }) => doneBytes >= 120_000)
    await hub.downloads.cancel(id)
    expect(hub.downloads.list()).toMatchObject([{ id, state: 'cancelled', failure: null, bytesPerSecond: null }])
    const partial = join(repoFolder('whole'), 'blobs', `${sha256(weights)}.incomplete`)
    expect(readFileSync(partial).equals(weights.subarray(0, 120_000))).toBe(true)
    expect(existsSync(join(repoFolder('whole'), 'refs'))).toBe(false)
    const next = openHub()
    expect(await ended('org/whole', next)).toMatchObject({ state: 'done' })
    expect(server.contentOf('model.safetensors').at(-1)).toMatchObject({ range: 'bytes=120000-', bytes: 80_000 })
  })

  it('starts anew while the old one still ends, and one file has one writer', async () => {
    server.faults.set('model.safetensors', [{ stallAfter: 120_000 }])
    const first = start('org/whole')
    await until(first.id, ({ doneBytes }) => doneBytes >= 120_000)
    const cancelling = hub.downloads.cancel(first.id)
    const second = start('org/whole')
    const third = start('org/whole@v1/old')
    expect(second.id).not.toBe(first.id)
    await cancelling
    for (const { id } of [second, third]) expect((await until(id, isOver)).at(-1)).toMatchObject({ state: 'done' })
    const served = server.contentOf('model.safetensors').reduce((sum, { bytes }) => sum + bytes, 0)
    expect(served).toBe(weights.length)
  })

  it('ends with the process and keeps what has arrived', async () => {
    server.faults.set('model.safetensors', [{ stallAfter: 120_000 }])
    const { id } = start('org/whole')
    await until(id, ({ doneBytes }) => doneBytes >= 120_000)
    await hub.close()
    expect(hub.downloads.list()).toMatchObject([{ state: 'cancelled' }])
    expect(() => start('org/whole')).toThrow(expect.objectContaining({ code: 'cancelled' }))
    expect(existsSync(join(repoFolder('whole'), 'blobs', `${sha256(weights)}.incomplete`))).toBe(true)
  })
})

describe('offline', () => {
  it.each([['switch'], ['environment']])('uses a complete snapshot without any request, by %s', async (how) => {
    await ended('org/whole')
    await ended('org/sharded')
    const env = how === 'environment' ? { HF_HUB_OFFLINE: '1' } : {}
    const offline = openHub({ env })
    if (how === 'switch') offline.setOffline(true)
    expect(await offline.status()).toMatchObject({ isOffline: true, isOfflineByEnvironment: how === 'environment' })
    const requests = server.seen.length
    arrived = []
    expect(await ended('org/whole', offline)).toMatchObject({ state: 'done' })
    expect(await ended(`org/sharded@${commit}`, offline)).toMatchObject({ state: 'done' })
    expect(arrived.map(({ source }) => source)).toEqual([`hub:org/whole@${commit}`, `hub:org/sharded@${commit}`])
    // A shard whose content is gone.
    rmSync(join(repoFolder('sharded'), 'blobs', sha256(shards[0])))
    for (const source of ['org/sharded', 'org/none', 'org/whole@v1/old']) {
      const reason = how === 'environment' ? 'HF_HUB_OFFLINE' : 'hub offline on'
      expect(await ended(source, offline)).toMatchObject({
        failure: { code: 'hub-offline', details: { source, reason } },
      })
    }
    expect(server.seen.length).toBe(requests)
  })

  it('is switched off again', async () => {
    hub.setOffline(true)
    hub.setOffline(false)
    expect(await hub.status()).toMatchObject({ isOffline: false })
    expect(await ended('org/whole')).toMatchObject({ state: 'done' })
  })
})

describe('the token', () => {
  const keeper = (reason: string | null = null): TokenVault => {
    let kept: string | null = null
    return {
      ...{ reason: () => Promise.resolve(reason), get: () => Promise.resolve(kept) },
      set: (given) => Promise.resolve(void (kept = given)),
    }
  }

  it('comes from the environment first, then from the keychain', async () => {
    const vault = keeper()
    const room = openHub({ vault })
    expect(await room.status()).toMatchObject({ token: 'none', canKeepToken: true })
    await room.setToken(TOKEN)
    expect(await room.status()).toMatchObject({ token: 'keychain' })
    expect(await ended('org/gated', room)).toMatchObject({ state: 'done' })
    const other = openHub({ vault, env: { HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: `${TOKEN}\n` } })
    expect(await other.status()).toMatchObject({ token: 'environment' })
    await room.setToken(null)
    expect(await room.status()).toMatchObject({ token: 'none' })
  })

  it('is refused where it cannot be kept, and when it is none', async () => {
    expect(await hub.status()).toMatchObject({ canKeepToken: false })
    await expect(hub.setToken(TOKEN)).rejects.toMatchObject({ code: 'hub-token-unkept' })
    const plain = openHub({ vault: keeper('no keyring') })
    await expect(plain.setToken(TOKEN)).rejects.toMatchObject({ details: { reason: 'no keyring' } })
    await expect(openHub({ vault: keeper() }).setToken('a b\r\nx: y')).rejects.toMatchObject({
      code: 'hub-token-unkept',
    })
  })

  it('is in no answer, error, setting or file, and no other server sees it', async () => {
    const room = openHub({ env: { HF_TOKEN: TOKEN } })
    server.faults.set(
      'model.safetensors',
      Array.from({ length: 8 }, () => ({ status: 503 })),
    )
    const failed = await ended('org/gated', room)
    expect(failed).toMatchObject({ state: 'failed', failure: { code: 'hub-unreachable' } })
    server.faults.clear()
    const done = await ended('org/gated', room)
    expect(done).toMatchObject({ state: 'done' })
    const said = JSON.stringify([failed, done, await room.status(), [...settings], arrived, unexpected.map(String)])
    expect(said).not.toContain(TOKEN)
    const files = tree(join(folder, 'cache'))
    expect(Object.values(files).some((content) => Buffer.from(content, 'base64').includes(TOKEN))).toBe(false)
    const told = (name: 'hub' | 'cdn') =>
      server.seen.filter((one) => one.server === name).map((one) => one.authorization)
    expect(new Set(told('hub'))).toEqual(new Set([`Bearer ${TOKEN}`]))
    expect(new Set(told('cdn'))).toEqual(new Set([undefined]))
  })
})
