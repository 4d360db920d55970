/** Sums of many float32 values that come out the same in whatever order, and in however many parts, they were added. */

/** Two whole numbers per sum: units of 2^-10, and units of 2^-42 below them. */
const HIGH = 2 ** 10
const LOW = 2 ** 32
/** Where the lower number is carried over, long before it stops being exact. */
const CARRY = 2 ** 52

/**
 * Fixed-point sums of values of at least 0. Whole numbers in float64 add without rounding up to 2^53, so a sum is exact for values
 * that are multiples of 2^-42, and every value contributes an error below 2^-43 otherwise, up to a total of 2^43.
 */
export class ExactSums {
  readonly high: Float64Array<ArrayBuffer>
  readonly low: Float64Array<ArrayBuffer>

  constructor(count: number) {
    this.high = new Float64Array(count)
    this.low = new Float64Array(count)
  }

  add(i: number, value: number): void {
    const high = Math.floor(value * HIGH)
    this.put(i, high, Math.round((value - high / HIGH) * HIGH * LOW))
  }

  merge({ high, low }: ExactSums): void {
    high.forEach((value, i) => this.put(i, value, low[i] ?? 0))
  }

  /** [count], each rounded once. */
  values(): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.high, (high, i) => high / HIGH + (this.low[i] ?? 0) / (HIGH * LOW))
  }

  /** The same sum in the one form that has less than a unit of `high` in `low`, so that equal sums have equal bytes. */
  settle(): void {
    for (let i = 0; i < this.low.length; i++) this.carry(i)
  }

  private put(i: number, high: number, low: number): void {
    this.high[i] = (this.high[i] ?? 0) + high
    this.low[i] = (this.low[i] ?? 0) + low
    if ((this.low[i] ?? 0) >= CARRY) this.carry(i)
  }

  private carry(i: number): void {
    const low = this.low[i] ?? 0
    const units = Math.floor(low / LOW)
    this.high[i] = (this.high[i] ?? 0) + units
    this.low[i] = low - units * LOW
  }
}
