/** Bytes per second over the last seconds. */
const WINDOW_MS = 5000
const SHORTEST_MS = 500
const SAMPLE_MS = 50

export class Speed {
  private samples: { at: number; bytes: number }[] = []

  /**
   * Notes how many bytes are there now.
   * @param at milliseconds of any clock that only goes forward
   * @returns bytes per second, or null while too little is known
   */
  note(at: number, bytes: number): number | null {
    const last = this.samples.at(-1)
    // A transfer that began anew would give a negative speed.
    if (last && bytes < last.bytes) this.samples = []
    // Pieces come thousands a second; one sample in a while is enough.
    if (!last || bytes < last.bytes || at - last.at >= SAMPLE_MS) this.samples.push({ at, bytes })
    while (this.samples.length > 2 && at - (this.samples[1]?.at ?? at) > WINDOW_MS) this.samples.shift()
    const first = this.samples[0]
    if (!first || at - first.at < SHORTEST_MS) return null
    return ((bytes - first.bytes) / (at - first.at)) * 1000
  }
}
