/**
 * The wire: calls (one answer) and feeds (many) over any transport that can send and receive messages.
 * `serve` parses every input against the contract before a handler sees it; `connect` gives the typed client.
 */
import { z } from 'zod'
import { AppError, fromFailure, toFailure } from './errors'

// The strict CSP of both hosts forbids the code generation zod uses for speed.
z.config({ jitless: true })

/** All that a transport must offer. Messages keep typed arrays (structured clone or msgpack). */
export type Wire = {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: () => void): void
  /** Resolves when the other side has taken what was sent, so that feeds do not pile up in memory; at once where it is left out. */
  drained?(): Promise<void>
}

type Call = { kind: 'call'; input: z.ZodType; output: z.ZodType }
type Feed = { kind: 'feed'; input: z.ZodType; output: z.ZodType }
export type Contract = Record<string, Call | Feed>

/** A question with one answer. */
export const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) =>
  ({ kind: 'call', input, output }) as const
/** A question with many answers until either side ends it. */
export const feed = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) =>
  ({ kind: 'feed', input, output }) as const

type NamesOf<C extends Contract, K extends 'call' | 'feed'> = {
  [N in keyof C]: C[N]['kind'] extends K ? N : never
}[keyof C] &
  string
export type CallNames<C extends Contract> = NamesOf<C, 'call'>
export type FeedNames<C extends Contract> = NamesOf<C, 'feed'>

/** What handlers must offer for a contract: parsed input, an abort signal that fires when the asker goes away. */
export type HandlersOf<C extends Contract> = {
  [N in CallNames<C>]: (input: z.output<C[N]['input']>, signal: AbortSignal) => Promise<z.input<C[N]['output']>>
} & {
  [N in FeedNames<C>]: (input: z.output<C[N]['input']>, signal: AbortSignal) => AsyncIterable<z.input<C[N]['output']>>
}

export type Client<C extends Contract> = {
  /** Rejects with an AppError; with code `connection-lost` when the wire closes first. */
  call<N extends CallNames<C>>(
    name: N,
    input: z.input<C[N]['input']>,
    signal?: AbortSignal,
  ): Promise<z.output<C[N]['output']>>
  /** Returns a function that stops the feed. `onEnd` gets the error, or nothing at a normal end. */
  feed<N extends FeedNames<C>>(
    name: N,
    input: z.input<C[N]['input']>,
    onNext: (value: z.output<C[N]['output']>) => void,
    onEnd?: (error?: AppError) => void,
  ): () => void
}

const Question = z.union([
  z.object({ id: z.int(), name: z.string(), input: z.unknown() }),
  z.object({ id: z.int(), stop: z.literal(true) }),
])

const Answer = z.union([
  z.object({ id: z.int(), ok: z.unknown() }).refine((m) => 'ok' in m),
  z.object({ id: z.int(), next: z.unknown() }).refine((m) => 'next' in m),
  z.object({ id: z.int(), end: z.literal(true) }),
  z.object({
    id: z.int(),
    fail: z.object({
      code: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  }),
])

export type ServeOptions = {
  /** Parse outputs too; for tests and development. */
  checkOutputs?: boolean
  /** Called with failures that are not AppErrors, so that the host can log them. */
  onUnexpected?: (error: unknown, name: string) => void
}

/** Questions of one asker that may be open at once; a page has some dozens. */
const MAX_OPEN = 256

/** Answers questions that arrive on the wire with the handlers. All open questions are aborted when the wire closes. */
export function serve<C extends Contract>(
  wire: Wire,
  contract: C,
  handlers: HandlersOf<C>,
  options: ServeOptions = {},
): void {
  const open = new Map<number, AbortController>()
  wire.onClose(() => {
    for (const controller of open.values()) controller.abort()
    open.clear()
  })
  wire.onMessage((message) => {
    const question = Question.safeParse(message)
    if (!question.success) return
    if ('stop' in question.data) {
      open.get(question.data.id)?.abort()
      return
    }
    const { id, name, input } = question.data
    if (open.size >= MAX_OPEN) {
      const reason = `more than ${MAX_OPEN} questions are open`
      return wire.send({ id, fail: toFailure(new AppError('invalid-input', { name, reason })) })
    }
    const controller = new AbortController()
    // A number that is used again ends the older question, or nobody could end it any more.
    open.get(id)?.abort()
    open.set(id, controller)
    void answer(id, name, input, controller.signal)
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) options.onUnexpected?.(error, name)
        if (!controller.signal.aborted) wire.send({ id, fail: toFailure(error) })
        else wire.send({ id, fail: toFailure(new AppError('cancelled')) })
      })
      .finally(() => {
        if (open.get(id) === controller) open.delete(id)
      })
  })

  async function answer(id: number, name: string, input: unknown, signal: AbortSignal): Promise<void> {
    const entry = Object.hasOwn(contract, name) ? contract[name] : undefined
    if (!entry) throw new AppError('unknown-call', { name })
    const parsed = entry.input.safeParse(input)
    if (!parsed.success) throw refusal(name, parsed.error)
    const checked = (value: unknown) => (options.checkOutputs ? entry.output.parse(value) : value)
    // The name was found in the contract, so the handler of that name has the matching type.
    const handler = (handlers as Record<string, (input: unknown, signal: AbortSignal) => unknown>)[name]
    if (!handler) throw new AppError('unknown-call', { name })
    if (entry.kind === 'call') {
      wire.send({ id, ok: checked(await handler(parsed.data, signal)) })
      return
    }
    for await (const value of handler(parsed.data, signal) as AsyncIterable<unknown>) {
      if (signal.aborted) break
      wire.send({ id, next: checked(value) })
      await wire.drained?.()
    }
    wire.send({ id, end: true })
  }
}

/** Why an input is refused; a text that is too long has a sentence of its own, for it is what people write. */
function refusal(name: string, error: z.ZodError): AppError {
  const [issue] = error.issues
  if (issue?.code !== 'too_big' || issue.origin !== 'string')
    return new AppError('invalid-input', { name, reason: describeIssues(error) })
  return new AppError('text-too-long', { what: issue.path.join('.'), limit: Number(issue.maximum) })
}

/** One line for people: where in the input, and what is wrong. */
function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => (issue.path.length ? `${issue.path.join('.')}: ${issue.message}` : issue.message))
    .join('; ')
}

type Waiting = { onNext(value: unknown): void; onEnd(error?: AppError): void }

/** The asking side of the wire. */
export function connect<C extends Contract>(wire: Wire): Client<C> {
  let nextId = 1
  let closed = false
  const waiting = new Map<number, Waiting>()
  wire.onClose(() => {
    closed = true
    for (const waiter of waiting.values()) waiter.onEnd(new AppError('connection-lost'))
    waiting.clear()
  })
  wire.onMessage((message) => {
    const answer = Answer.safeParse(message)
    if (!answer.success) return
    const waiter = waiting.get(answer.data.id)
    if (!waiter) return
    if ('next' in answer.data) {
      waiter.onNext(answer.data.next)
      return
    }
    waiting.delete(answer.data.id)
    if ('fail' in answer.data) waiter.onEnd(fromFailure(answer.data.fail))
    else {
      if ('ok' in answer.data) waiter.onNext(answer.data.ok)
      waiter.onEnd()
    }
  })

  function ask(name: string, input: unknown, waiter: Waiting): () => void {
    const id = nextId++
    if (closed) {
      queueMicrotask(() => waiter.onEnd(new AppError('connection-lost')))
      return () => undefined
    }
    waiting.set(id, waiter)
    wire.send({ id, name, input })
    return () => {
      if (waiting.delete(id)) wire.send({ id, stop: true })
    }
  }

  return {
    call: (name, input, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new AppError('cancelled'))
        let value: unknown
        const stop = ask(name, input, {
          onNext: (next) => (value = next),
          // The serving side answers with the contract's output type.
          onEnd: (error) => (error ? reject(error) : resolve(value as never)),
        })
        signal?.addEventListener('abort', () => {
          stop()
          reject(new AppError('cancelled'))
        })
      }),
    feed: (name, input, onNext, onEnd) =>
      ask(name, input, { onNext: (value) => onNext(value as never), onEnd: (error) => onEnd?.(error) }),
  }
}

/** Two ends of one in-memory wire, for tests and for a command line that owns its workspace. Delivery is asynchronous. */
export function memoryWire(): { a: Wire; b: Wire; close(): void } {
  const makeEnd = () => ({ messages: [] as ((m: unknown) => void)[], closes: [] as (() => void)[] })
  const ends = { a: makeEnd(), b: makeEnd() }
  const endOf = (own: 'a' | 'b', other: 'a' | 'b'): Wire => ({
    send: (message) => queueMicrotask(() => ends[other].messages.forEach((listener) => listener(message))),
    onMessage: (listener) => void ends[own].messages.push(listener),
    onClose: (listener) => void ends[own].closes.push(listener),
  })
  return {
    a: endOf('a', 'b'),
    b: endOf('b', 'a'),
    close: () => [...ends.a.closes, ...ends.b.closes].forEach((listener) => listener()),
  }
}
