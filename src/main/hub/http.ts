/** The one door to the hub's servers: redirects, the access token, refusals as errors, and tries again after a pause. */
import { AppError } from '../../shared/errors'

const MAX_REDIRECTS = 5
const MAX_FAILURES = 6
const MAX_FAILURES_IN_ALL = 500
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
const LONGEST_RETRY_AFTER_MS = 120_000
const REDIRECTS = [301, 302, 303, 307, 308]

export type Fetch = typeof globalThis.fetch

/** How this process reaches the hub. */
export type HubAccess = {
  /** Without a slash at the end. */
  url: string
  /** The access token of this moment; never kept elsewhere. */
  token(): Promise<string | null>
  fetch: Fetch
  /** Resolves after a pause, or rejects when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>
}

/** A failure that may be gone after a pause. */
export class Transient extends Error {
  constructor(
    reason: string,
    readonly afterMs: number | null = null,
  ) {
    super(reason)
  }
}

/** What went wrong on the way, in the system's short words. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
  return error.message
}

/**
 * Asks for one address and follows redirects. The token goes to the hub's own origin only, and never again once a redirect left it.
 * @returns the answer of the last server, whatever its status
 * @throws Transient when no server answers
 */
export async function request(
  access: HubAccess,
  url: string,
  { headers = {}, signal }: { headers?: Record<string, string>; signal: AbortSignal },
): Promise<Response> {
  const home = new URL(access.url).origin
  let next = new URL(url)
  let isHome = true
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    isHome &&= next.origin === home
    const token = isHome ? await access.token() : null
    const authorization = token ? { authorization: `Bearer ${token}` } : {}
    const response = await ask(access, next.href, { headers: { ...headers, ...authorization }, signal })
    const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null
    if (location === null) return response
    await drop(response)
    next = redirectTo(location, next)
  }
  throw new AppError('hub-unreachable', { reason: 'too many redirects' })
}

async function ask(access: HubAccess, url: string, init: RequestInit): Promise<Response> {
  try {
    return await access.fetch(url, { ...init, redirect: 'manual' })
  } catch (error) {
    throw new Transient(networkReason(error))
  }
}

function redirectTo(location: string, from: URL): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null
  const isSafe = to !== null && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:'))
  if (!isSafe) throw new AppError('hub-unreachable', { reason: 'a redirect leads to an unsafe address' })
  return to
}

/** What a person calls the thing that was asked for: a repository, or a file in it. */
export type Wanted = { what: string; source: string; path?: string }

/** The error of an answer that is none: thrown at once, or after a pause and another try. */
export function refusal(response: Response, { what, source, path }: Wanted): AppError | Transient {
  const { status, headers } = response
  void drop(response)
  const code = headers.get('x-error-code') ?? ''
  // The hub answers 401 for names that do not exist, and says so in this header.
  if (status === 404 || /^(Repo|Revision|Entry)NotFound$/.test(code)) {
    return new AppError('hub-not-found', { what, source: path === undefined ? source : `${source}/${path}` })
  }
  if (status === 401 || status === 403) return new AppError('hub-denied', { source })
  const reason = `status ${status}`
  if (status === 408 || status === 429 || status >= 500) return new Transient(reason, retryAfterMs(headers))
  return new AppError('hub-unreachable', { reason })
}

function retryAfterMs(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : null
}

/**
 * Tries until it works; only {@link Transient} failures are tried again, with pauses that double.
 * @param progress grows while something arrives; a try that brought more than any before starts the count anew
 * @throws AppError `cancelled`, `hub-unreachable` after six failures in a row, and what the attempt throws
 */
export async function retrying<T>(
  { access, signal }: { access: HubAccess; signal: AbortSignal },
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let best = progress()
  let failures = 0
  for (let all = 1; ; all++) {
    try {
      if (signal.aborted) throw new AppError('cancelled')
      return await attempt()
    } catch (error) {
      if (signal.aborted) throw new AppError('cancelled')
      if (!(error instanceof Transient)) throw error
      failures = progress() > best ? 1 : failures + 1
      best = Math.max(best, progress())
      if (failures >= MAX_FAILURES || all >= MAX_FAILURES_IN_ALL) {
        throw new AppError('hub-unreachable', { reason: error.message })
      }
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
      await access.wait(error.afterMs ?? pause, signal).catch(() => undefined)
    }
  }
}

/** Leaves an answer unread. */
export const drop = (response: Response): Promise<void> =>
  response.body?.cancel().catch(() => undefined) ?? Promise.resolve()

/**
 * The pieces of a body as they arrive; leaving the loop ends the transfer.
 * @throws Transient when the connection breaks
 */
export async function* bodyPieces(response: Response): AsyncGenerator<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      const { value } = await reader.read().catch((error: unknown) => {
        throw new Transient(networkReason(error))
      })
      if (!value) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/**
 * A whole body in memory.
 * @throws Transient as {@link bodyPieces}; AppError `hub-unreachable` when it is longer than `maxBytes`
 */
export async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of bodyPieces(response)) {
    bytes += piece.length
    if (bytes > maxBytes) {
      throw new AppError('hub-unreachable', { reason: `the answer is longer than ${maxBytes} bytes` })
    }
    pieces.push(piece)
  }
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
