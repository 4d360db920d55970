/** Ranges, ticks and number words of line charts: pure functions, so that what a chart shows can be tested without a canvas. */

const MAX_TICKS = 5

/** A line as two columns of equal length, x ascending. */
export type Line = { x: Float64Array; y: Float64Array }

/** Data that grows outside Vue's reactivity; the chart reads it once per animation frame. */
export type LineSource = {
  /** Views on the current data; valid until the next call. */
  read(): Line
  /** x of the newest point of all lines: later than this line's last point where it is not measured at every one. */
  end(): number
  /** Calls `listener` after every change; answers a function that stops it. */
  onChange(listener: () => void): () => void
}

/** Step of 1, 2 or 5 times a power of ten that cuts `span` into at most `MAX_TICKS - 1` parts. */
function niceStep(span: number): number {
  const rough = span / (MAX_TICKS - 1)
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10
  return factor * power
}

/** Round ticks inside [low, high], at most five. */
export function linearTicks(low: number, high: number): number[] {
  if (!(high > low)) return [low]
  const step = niceStep(high - low)
  const ticks: number[] = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9) && ticks.length < MAX_TICKS; k++) {
    // Rounded to the step's own digits, so that 0.6000000000000001 does not reach the axis.
    ticks.push(Number((k * step).toPrecision(12)))
  }
  return ticks
}

/** Ticks of a log axis inside [low, high]: 1, 2, 5 per decade when few fit, else whole powers, thinned to at most five. */
export function logTicks(low: number, high: number): number[] {
  const from = Math.floor(Math.log10(low))
  const to = Math.ceil(Math.log10(high))
  const within = (factors: number[]) => {
    const ticks: number[] = []
    for (let power = from; power <= to; power++) {
      for (const factor of factors) {
        const value = Number((factor * 10 ** power).toPrecision(12))
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value)
      }
    }
    return ticks
  }
  const choices = [[1, 1.5, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]].map(within)
  const fitting = choices.find((ticks) => ticks.length <= MAX_TICKS)
  // Over less than a factor of two, even steps read better than none.
  if (fitting) return fitting.length >= 2 ? fitting : linearTicks(low, high)
  const powers = choices.at(-1) ?? []
  const every = Math.ceil(powers.length / MAX_TICKS)
  return powers.filter((_, index) => index % every === 0)
}

/** The y range of a chart: log axes leave room by ratio, linear ones by span, and both hold when all values are equal. */
export function yRange(values: Iterable<number>, isLog: boolean, fixed?: readonly [number, number]): [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    if (!Number.isFinite(value) || (isLog && value <= 0)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (fixed) {
    const [bottom, top] = fixed
    return [
      Math.min(bottom, Number.isFinite(low) ? low : bottom),
      Math.max(top, Number.isFinite(high) ? high * 1.08 : top),
    ]
  }
  if (low > high) return isLog ? [1, 10] : [0, 1]
  if (isLog) return [low / 1.15, high * 1.15]
  const room = (high - low || Math.abs(high) || 1) * 0.06
  return [low - room, high + room]
}

/** Tokens on an axis, as `500k` or `1.5M`; letters stand on axes only. */
export function axisTokens(tokens: number): string {
  for (const [size, letter] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (tokens >= size) return `${Number((tokens / size).toPrecision(3))}${letter}`
  }
  return String(tokens)
}

/** A y tick with only the digits it needs. */
export const axisValue = (value: number): string =>
  Math.abs(value) >= 1e4 ? axisTokens(value) : String(Number(value.toPrecision(3)))

/** A measured value with about four digits, as stands in a chart's title. */
export function readout(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1e5) return value.toExponential(2)
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.001 ? 3 : 6)
}

/** Indexes of at most `rows` points, first and last included, evenly apart: the rows of a chart's table. */
export function tableRows(length: number, rows: number): number[] {
  if (length <= rows) return Array.from({ length }, (_, index) => index)
  return Array.from({ length: rows }, (_, row) => Math.round((row * (length - 1)) / (rows - 1)))
}

/** Index of the point nearest to `at` on an ascending axis; null without points. */
export function nearestIndex(x: Float64Array, at: number): number | null {
  if (x.length === 0) return null
  let low = 0
  let high = x.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((x[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  const before = low > 0 ? (x[low - 1] ?? 0) : -Infinity
  return at - before < (x[low] ?? 0) - at ? low - 1 : low
}
