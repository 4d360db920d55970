/** Handlers that ask another process: what a second window, server or command uses while someone else owns the workspace. */
import { contract, type MonoscopeClient, type MonoscopeHandlers } from '../../shared/contract'
import type { AppError } from '../../shared/errors'

/** All values of a feed of another process, until it ends there or the asker here goes away. */
async function* forwardFeed(
  client: MonoscopeClient,
  ask: { name: Parameters<MonoscopeClient['feed']>[0]; input: never },
  signal: AbortSignal,
): AsyncGenerator {
  const values: unknown[] = []
  let ended: { error?: AppError } | null = null
  let wake: () => void = () => undefined
  const stop = client.feed(
    ask.name,
    ask.input,
    (value) => {
      values.push(value)
      wake()
    },
    (error) => {
      ended = error ? { error } : {}
      wake()
    },
  )
  const isDone = () => signal.aborted || ended !== null
  signal.addEventListener('abort', () => wake())
  try {
    while (values.length > 0 || !isDone()) {
      if (values.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      else yield values.shift()
    }
    const end = ended as { error?: AppError } | null
    if (end?.error) throw end.error
  } finally {
    stop()
  }
}

/** Every name of the contract, answered by `client`. */
export function forwardTo(client: MonoscopeClient): MonoscopeHandlers {
  const entries = Object.entries(contract).map(([name, { kind }]) => [
    name,
    kind === 'call'
      ? (input: never, signal: AbortSignal) =>
          client.call(name as Parameters<MonoscopeClient['call']>[0], input, signal)
      : (input: never, signal: AbortSignal) =>
          forwardFeed(client, { name: name as Parameters<MonoscopeClient['feed']>[0], input }, signal),
  ])
  // Inputs were parsed on the way in and are parsed again by the owner; answers come from the same contract.
  return Object.fromEntries(entries) as MonoscopeHandlers
}
