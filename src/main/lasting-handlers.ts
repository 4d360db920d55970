/**
 * Handlers that outlive the owner of a workspace: when it goes, the next question finds the new owner, or makes this process the owner.
 * A window or a served page that was opened beside a command goes on after the command has ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { contract, type MonoscopeHandlers } from '../shared/contract'
import { AppError } from '../shared/errors'
import type { OpenedHandlers } from './open-handlers'

/** An owner that is closing still holds its lock for a moment. */
const TRIES = 50
const TRY_EVERY_MS = 100

const isGone = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'connection-lost' || error.code === 'workspace-open')

async function openAgain(open: () => Promise<OpenedHandlers>): Promise<OpenedHandlers> {
  for (let tries = 1; ; tries++) {
    try {
      return await open()
    } catch (error) {
      if (!isGone(error) || tries === TRIES) throw error
      await sleep(TRY_EVERY_MS)
    }
  }
}

type Ask = (input: never, signal: AbortSignal) => unknown

/**
 * @param open opens the workspace, or connects to its owner
 * @throws AppError as `open` does
 */
export async function openLasting(open: () => Promise<OpenedHandlers>): Promise<OpenedHandlers> {
  const state = { now: await open(), isLost: false }
  const watch = () => void state.now.lost.then(() => (state.isLost = true))
  watch()
  let renewing: Promise<void> | null = null
  const renew = async () => {
    state.now = await openAgain(open)
    state.isLost = false
    watch()
  }
  /** Those who ask meanwhile share one try; when it fails, the next question tries again. */
  const handlerOf = async (name: string): Promise<Ask> => {
    if (state.isLost) {
      renewing ??= renew().finally(() => (renewing = null))
      await renewing
    }
    return Reflect.get(state.now.handlers, name) as Ask
  }
  const lastingCall = (name: string) => async (input: never, signal: AbortSignal) =>
    (await handlerOf(name))(input, signal)
  const lastingFeed = (name: string) =>
    async function* (input: never, signal: AbortSignal): AsyncGenerator {
      for (;;) {
        const opened = state.now
        try {
          yield* (await handlerOf(name))(input, signal) as AsyncIterable<unknown>
          return
        } catch (error) {
          // A feed begins with how things are, so that asking the new owner again misses nothing.
          if (signal.aborted || opened.isOwner || !isGone(error)) throw error
          await opened.lost
        }
      }
    }
  const entries = Object.entries(contract).map(([name, { kind }]) => [
    name,
    kind === 'call' ? lastingCall(name) : lastingFeed(name),
  ])
  return {
    // The same names as those that are passed on to.
    handlers: Object.fromEntries(entries) as MonoscopeHandlers,
    isOwner: state.now.isOwner,
    lost: new Promise(() => undefined),
    onUnexpected: (error, name) => state.now.onUnexpected(error, name),
    close: () => state.now.close(),
  }
}
