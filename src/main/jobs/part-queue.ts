/** Hands values from who pushes them to who loops over them, in order and at the looper's pace. */

export class PartQueue<T> implements AsyncIterable<T> {
  private readonly parts: T[] = []
  private ended: { error: Error | null } | null = null
  private wake: () => void = () => undefined

  /** What comes after the end is dropped. */
  push(part: T): void {
    if (this.ended) return
    this.parts.push(part)
    this.wake()
  }

  /** No more parts come; the loop ends after those that are there, with the error if one is given. */
  end(error: Error | null = null): void {
    this.ended ??= { error }
    this.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const part = this.parts.shift()
      if (part !== undefined) yield part
      else if (this.ended?.error) throw this.ended.error
      else if (this.ended) return
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
