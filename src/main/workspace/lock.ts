/**
 * The lock of a workspace: a file that says which process owns it and on which loopback port that process can be asked.
 * Reading, judging and replacing the file happens inside a gate that the system itself closes when a process dies, so that of
 * two processes that find the same stale lock only one takes it over.
 */
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { AppError } from '../../shared/errors'
import { probeHost, type ProbeResult } from '../web/probe'

export const LOCK_NAME = 'workspace.lock'
const GATE_NAME = 'workspace.gate'
const GATE_WAIT_MS = 15_000

const Owner = z.object({
  pid: z.int().positive(),
  port: z.int().min(1).max(65535),
  // Half a surrogate pair could not stand in an address.
  token: z
    .string()
    .min(16)
    .refine((token) => Buffer.from(token).toString() === token),
  startedAt: z.string(),
  /** Where the owner runs; locks of older versions do not say. */
  host: z.string().max(300).optional(),
  bootId: z.string().max(100).optional(),
  /** When the process was started, in the system's own count since it booted: the same number again is another process. */
  processStart: z.string().max(40).optional(),
})
/** The process that owns a workspace, and how to ask it. */
export type Owner = z.infer<typeof Owner>

export type Endpoint = { port: number; token: string }
export type LockResult = { taken: true; release: () => void } | { taken: false; owner: Owner }

/**
 * Takes the lock for this process, or says who holds it and answers.
 * @param endpoint where this process already answers
 * @throws AppError `workspace-busy` when the holder lives and does not answer, `workspace-unwritable`
 */
export async function takeLock(folder: string, endpoint: Endpoint): Promise<LockResult> {
  const path = join(folder, LOCK_NAME)
  const { port, token } = endpoint
  return insideGate(folder, async () => {
    const owner = readOwner(path)
    if (owner && (await isOwned(owner, folder))) return { taken: false, owner }
    rmSync(path, { force: true })
    const processStart = startOf(process.pid)
    const startedAt = new Date().toISOString()
    const own = { pid: process.pid, port, token, startedAt, ...identity() }
    writeLock(path, processStart === null ? own : { ...own, processStart })
    return { taken: true, release: () => release(path, token) }
  })
}

/**
 * The process that owns the workspace and answers, or null when nobody does.
 * @throws AppError `workspace-busy`
 */
export async function findOwner(folder: string): Promise<Owner | null> {
  const owner = readOwner(join(folder, LOCK_NAME))
  return owner && (await isOwned(owner, folder)) ? owner : null
}

/** A lock that cannot be read as one was cut off while being written; nobody can be asked through it. */
function readOwner(path: string): Owner | null {
  try {
    const parsed = Owner.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

async function isOwned(owner: Owner, folder: string): Promise<boolean> {
  const here = identity()
  // Ports and process numbers of another host or container mean nothing here, so nothing can be asked of its owner.
  if (owner.host !== undefined && owner.host !== here.host) {
    const lock = join(folder, LOCK_NAME)
    throw new AppError('workspace-elsewhere', { path: folder, host: owner.host, pid: owner.pid, lock })
  }
  if (owner.bootId !== undefined && owner.bootId !== here.bootId) return false
  const answer: ProbeResult = await probeHost(owner)
  if (answer === 'ours') return true
  // The owner listens for as long as it lives: a closed port, or one with another service behind it, means that it is gone,
  // even when its process number lives on in another program.
  if (answer !== 'silent' || !isAlive(owner.pid) || hasOtherStart(owner)) return false
  throw new AppError('workspace-busy', { path: folder, pid: owner.pid })
}

/** What tells this host and this boot from others. */
function identity(): { host: string; bootId?: string } {
  const bootId = readIfThere('/proc/sys/kernel/random/boot_id')?.trim()
  return { host: hostname(), ...(bootId ? { bootId } : {}) }
}

/** When a process was started, or null where the system does not say. */
function startOf(pid: number): string | null {
  // The second field is a name in parentheses that may hold anything; the start is the 20th after it.
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

/** Whether the number of the owner was given to another process since. */
function hasOtherStart({ pid, processStart }: Owner): boolean {
  const start = startOf(pid)
  return processStart !== undefined && start !== null && start !== processStart
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function writeLock(path: string, owner: Owner): void {
  const file = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600)
  try {
    writeSync(file, JSON.stringify(owner))
  } finally {
    closeSync(file)
  }
}

function release(path: string, token: string): void {
  if (readOwner(path)?.token === token) rmSync(path, { force: true })
}

/** Runs `work` while this process alone holds the gate: an exclusive transaction on an empty database file. */
async function insideGate<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const gate = new Database(join(folder, GATE_NAME), { timeout: 0 })
  try {
    const until = Date.now() + GATE_WAIT_MS
    while (!closeGate(gate)) {
      if (Date.now() > until) throw new AppError('workspace-busy', { path: folder, pid: '?' })
      await sleep(30)
    }
    return await work()
  } finally {
    if (gate.inTransaction) gate.exec('ROLLBACK')
    gate.close()
  }
}

function closeGate(gate: Database.Database): boolean {
  try {
    gate.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw error
  }
}
