/** The workspace folder and its lock: one owner, stale locks, owners that do not answer, folders that cannot be written. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDb } from '../../src/main/store/db'
import { findOwner, LOCK_NAME } from '../../src/main/workspace/lock'
import { translateSystemError } from '../../src/main/workspace/system-errors'
import { openWorkspace } from '../../src/main/workspace/workspace'
import { startHost } from '../../src/main/web/host'
import type { MonoscopeHandlers } from '../../src/shared/contract'
import { temporaryFolder } from '../fixtures/samples'

/** A host that answers with its token and nothing else. */
async function answering() {
  const host = await startHost({ handlers: {} as MonoscopeHandlers, rendererFolder: null })
  onTestFinished(() => host.close())
  return host
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

const token = 'a token of enough length'
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid

function writeLock(folder: string, lock: object): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, LOCK_NAME), JSON.stringify({ pid: process.pid, token, startedAt: 'x', ...lock }))
}

describe('workspace', () => {
  it('makes its tree and a lock that only the owner may read, and takes the lock away at the end', async () => {
    const folder = join(temporaryFolder(), 'new', 'workspace')
    const host = await answering()
    const workspace = await openWorkspace(folder, host)
    const expected = ['activations', 'backups', 'corpora', 'exports', 'models', 'runs', 'saes']
    expect(readdirSync(folder).filter((name) => !name.includes('.'))).toEqual(expected)
    expect(statSync(join(folder, LOCK_NAME)).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600)
    expect(JSON.parse(readFileSync(join(folder, LOCK_NAME), 'utf8'))).toMatchObject({
      pid: process.pid,
      port: host.port,
    })
    expect(await findOwner(folder)).toMatchObject({ port: host.port, token: host.token })
    workspace.release()
    expect(existsSync(join(folder, LOCK_NAME))).toBe(false)
    expect(await findOwner(folder)).toBeNull()
  })

  it('names the owner to a second process', async () => {
    const folder = temporaryFolder()
    await openWorkspace(folder, await answering())
    await expect(openWorkspace(folder, await answering())).rejects.toMatchObject({
      code: 'workspace-open',
      details: { pid: process.pid },
    })
  })

  it('does not take over from another host, and names it', async () => {
    const folder = temporaryFolder()
    writeLock(folder, { pid: deadPid(), port: 1, host: 'another-host.example' })
    const refusal = {
      code: 'workspace-elsewhere',
      details: { host: 'another-host.example', lock: join(folder, LOCK_NAME) },
    }
    await expect(openWorkspace(folder, await answering())).rejects.toMatchObject(refusal)
    await expect(findOwner(folder)).rejects.toMatchObject(refusal)
    expect(existsSync(join(folder, LOCK_NAME))).toBe(true)
  })

  it('takes over after a restart of this host, and from a process number that was given again', async () => {
    const lock = { port: 1, host: hostname() }
    const after = temporaryFolder()
    writeLock(after, { ...lock, bootId: 'an earlier boot' })
    ;(await openWorkspace(after, await answering())).release()
    const silent = createTcpServer()
    const again = temporaryFolder()
    writeLock(again, { ...lock, port: await listening(silent), processStart: '1' })
    if (existsSync('/proc/self/stat')) (await openWorkspace(again, await answering())).release()
  })

  it('does not take the workspace of an owner that lives and resets connections, as one short of descriptors does', async () => {
    const folder = temporaryFolder()
    const server = createTcpServer((socket) => socket.resetAndDestroy())
    writeLock(folder, { port: await listening(server) })
    await expect(openWorkspace(folder, await answering())).rejects.toMatchObject({ code: 'workspace-busy' })
  })

  it('lets exactly one of many takers win a stale lock', async () => {
    const folder = temporaryFolder()
    writeLock(folder, { pid: deadPid(), port: 1 })
    const hosts = await Promise.all(Array.from({ length: 6 }, answering))
    const results = await Promise.allSettled(hosts.map((host) => openWorkspace(folder, host)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'workspace-open' })
    }
  })

  it('takes over when the process number lives on in another program', async () => {
    const folder = temporaryFolder()
    const server = createTcpServer()
    const port = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    writeLock(folder, { port })
    await openWorkspace(folder, await answering())
  })

  it('takes over when another service got the port', async () => {
    const folder = temporaryFolder()
    const port = await listening(createServer((_, response) => response.end('hello')))
    writeLock(folder, { port })
    await openWorkspace(folder, await answering())
  })

  it('takes over a lock that was cut off while being written', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, LOCK_NAME), '{"pid":12')
    await openWorkspace(folder, await answering())
  })

  it('leaves an owner alone that lives and does not answer', async () => {
    const folder = temporaryFolder()
    const port = await listening(createTcpServer(() => undefined))
    writeLock(folder, { port })
    await expect(openWorkspace(folder, await answering())).rejects.toMatchObject({
      code: 'workspace-busy',
      details: { pid: process.pid },
    })
    expect(JSON.parse(readFileSync(join(folder, LOCK_NAME), 'utf8'))).toMatchObject({ port })
  })

  it('does not take away the lock of whoever took over', async () => {
    const folder = temporaryFolder()
    const workspace = await openWorkspace(folder, await answering())
    writeLock(folder, { port: 5 })
    workspace.release()
    expect(existsSync(join(folder, LOCK_NAME))).toBe(true)
  })

  it('says when the folder cannot be written', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'a file')
    writeFileSync(file, '')
    await expect(openWorkspace(join(file, 'inside'), await answering())).rejects.toMatchObject({
      code: 'workspace-unwritable',
    })
    if (process.getuid?.() === 0) return
    chmodSync(folder, 0o500)
    await expect(openWorkspace(folder, await answering())).rejects.toMatchObject({ code: 'workspace-unwritable' })
    chmodSync(folder, 0o700)
  })
})

describe('system errors', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EACCES', 'workspace-unwritable'],
    ['EROFS', 'workspace-unwritable'],
  ])('names %s as %s', (code, expected) => {
    const error = Object.assign(new Error(code), { code, path: '/there' })
    expect(translateSystemError(error, '/here')).toMatchObject({ code: expected, details: { path: '/there' } })
  })

  it('names a full disk that SQLite met', () => {
    const db = openDb({ path: join(temporaryFolder(), 'a.sqlite'), backups: '' })
    onTestFinished(() => void db.close())
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true }))}`)
    const fill = () => db.prepare('INSERT INTO setting (key, value) VALUES (?, ?)').run('x', 'y'.repeat(1e6))
    let thrown: unknown
    try {
      fill()
    } catch (error) {
      thrown = error
    }
    expect(translateSystemError(thrown, db.name)).toMatchObject({ code: 'disk-full', details: { path: db.name } })
  })

  it('leaves what it does not know', () => {
    const error = new Error('other')
    expect(translateSystemError(error, '/here')).toBe(error)
  })
})

describe('what SQLite says in the middle of work', () => {
  it.each([
    ['SQLITE_CORRUPT', 'workspace-damaged'],
    ['SQLITE_CORRUPT_INDEX', 'workspace-damaged'],
    ['SQLITE_NOTADB', 'workspace-damaged'],
    ['SQLITE_IOERR_READ', 'workspace-unreadable'],
    ['SQLITE_IOERR_FSYNC', 'workspace-unreadable'],
    ['SQLITE_IOERR_WRITE', 'disk-full'],
    ['SQLITE_FULL', 'disk-full'],
    ['SQLITE_READONLY', 'workspace-unwritable'],
  ])('%s is told as %s', (code, expected) => {
    const error = new Database.SqliteError('the reason', code)
    expect(translateSystemError(error, '/w/workspace.sqlite')).toMatchObject({ code: expected })
  })
})
