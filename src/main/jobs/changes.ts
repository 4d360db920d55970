/** Tells the feeds that something about jobs, runs or the backend is new; what it is they read from the store. */
import type { Backend } from '../../shared/domain'

export class Changes {
  private readonly listeners = new Set<() => void>()
  /** Which backend the last worker reported; null before the first. */
  backend: Backend | null = null

  notify(): void {
    for (const listener of [...this.listeners]) listener()
  }

  setBackend(backend: Backend): void {
    this.backend = backend
    this.notify()
  }

  /** Number of listeners; a feed that has ended leaves none behind. */
  get size(): number {
    return this.listeners.size
  }

  /**
   * Yields once at first and then after every change, several changes as one, until the signal fires.
   * @param everyMs also yields when nothing changed for this long
   */
  async *until(signal: AbortSignal, everyMs?: number): AsyncGenerator<this> {
    let isNew = true
    let wake: () => void = () => undefined
    const onChange = () => {
      isNew = true
      wake()
    }
    const onAbort = () => wake()
    this.listeners.add(onChange)
    signal.addEventListener('abort', onAbort)
    const timer = everyMs === undefined ? null : setInterval(onChange, everyMs)
    try {
      while (!signal.aborted) {
        if (isNew) {
          isNew = false
          yield this
          continue
        }
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      if (timer) clearInterval(timer)
      this.listeners.delete(onChange)
      signal.removeEventListener('abort', onAbort)
    }
  }
}
