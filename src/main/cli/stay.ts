/**
 * `--stay`: a process of its own owns the workspace for a while, so that the next commands find the model loaded. It is asked for, says its
 * number, is seen in the lock like every owner, and leaves by itself (docs/decisions/0009).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { AppError } from '../../shared/errors'
import { findOwner, type Monoscope } from '../monoscope'
import { connectToHost } from '../web/client'
import { toNumber } from './find'
import type { RunCommand } from './run-command'
import type { Program, Session } from './session'

const LONGEST_SECONDS = 24 * 60 * 60
const LOOK_EVERY_MS = 1000
const START_EVERY_MS = 50

/** @throws InvalidArgumentError */
export function toSeconds(given: string): number {
  const seconds = toNumber(given)
  if (seconds >= 0 && seconds <= LONGEST_SECONDS) return seconds
  throw new InvalidArgumentError(`It is a number of seconds from 0 to ${LONGEST_SECONDS}.`)
}

/** Whether an owner is there and has opened its rooms: the lock is taken before. */
async function answers(folder: string): Promise<boolean> {
  const owner = await findOwner(folder)
  if (!owner) return false
  try {
    const { client, close } = await connectToHost(owner, { isCommand: true })
    await client.call('app.info', {}).finally(close)
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'connection-lost') return false
    throw error
  }
}

/**
 * Starts the process that stays, where nobody owns the workspace, and waits until it answers or has ended.
 * @returns its number; null where there was an owner, or where it ended: opening the workspace then says why
 */
export async function startStaying(folder: string, seconds: number, { entryPath }: Program): Promise<number | null> {
  if (await findOwner(folder)) return null
  const args = [entryPath, '--workspace', folder, 'owner', '--idle', String(seconds)]
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore' })
  child.unref()
  const ended = once(child, 'exit').then(
    () => true,
    () => true,
  )
  while (!(await answers(folder))) {
    if (await Promise.race([ended, sleep(START_EVERY_MS, false)])) return null
  }
  return child.pid ?? null
}

/** Resolves when nobody has asked for so long, when the workspace is gone, or at a signal. */
export async function untilIdle(
  own: Pick<Monoscope, 'commands' | 'isBusy' | 'workspace'>,
  { seconds, signal, lookEveryMs = LOOK_EVERY_MS }: { seconds: number; signal: AbortSignal; lookEveryMs?: number },
): Promise<void> {
  let idleMs = 0
  while (idleMs < 1000 * seconds && !signal.aborted && existsSync(own.workspace.folder)) {
    await sleep(lookEveryMs, null, { signal }).catch(() => null)
    idleMs = own.commands() > 0 || own.isBusy() ? 0 : idleMs + lookEveryMs
  }
}

/** The command that the staying process runs; it is no use to call it by hand. */
export function addOwnerCommand(program: Command, run: RunCommand): void {
  program
    .command('owner', { hidden: true })
    .description('own the workspace until nobody has asked for a while')
    .requiredOption('--idle <seconds>', 'how long nobody has to ask', toSeconds)
    .action(({ idle }: { idle: number }) =>
      run.lasting(async ({ own, signal }: Session) => {
        // Another process was faster: it is asked instead.
        if (own) await untilIdle(own, { seconds: idle, signal })
      }),
    )
}
