/** Keeps the largest of the numbers it is offered, in order. */

export class Largest {
  private readonly keptIndexes: Int32Array<ArrayBuffer>
  private readonly keptValues: Float32Array<ArrayBuffer>
  private count = 0

  constructor(private readonly room: number) {
    this.keptIndexes = new Int32Array(room)
    this.keptValues = new Float32Array(room)
  }

  clear(): void {
    this.count = 0
  }

  /** Offered in the order of their indexes, the lower index comes first among equal values. */
  offer(index: number, value: number): void {
    const { room, keptIndexes, keptValues } = this
    if (this.count === room && !(value > (keptValues[room - 1] ?? 0))) return
    let at = this.count < room ? this.count++ : room - 1
    for (; at > 0 && value > (keptValues[at - 1] ?? 0); at--) {
      keptValues[at] = keptValues[at - 1] ?? 0
      keptIndexes[at] = keptIndexes[at - 1] ?? 0
    }
    keptValues[at] = value
    keptIndexes[at] = index
  }

  /** From the largest down, both [kept]; read before the next `clear`. */
  indexes(): Int32Array<ArrayBuffer> {
    return this.keptIndexes.subarray(0, this.count)
  }

  values(): Float32Array<ArrayBuffer> {
    return this.keptValues.subarray(0, this.count)
  }
}
