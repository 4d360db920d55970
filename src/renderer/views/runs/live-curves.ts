/** The curves of one run in growing typed arrays, outside Vue's reactivity: points go in once and in order, charts read views. */
import { markRaw } from 'vue'
import type { MetricPoint } from '../../../shared/domain'
import type { Line, LineSource } from '../../charts/line-scales'

export const CURVES = ['loss', 'l0', 'explainedVariance', 'deadFraction'] as const
export type Curve = (typeof CURVES)[number]

const FIRST_CAPACITY = 256

/** Two columns that double when full. */
class GrowingLine {
  private x = new Float64Array(FIRST_CAPACITY)
  private y = new Float64Array(FIRST_CAPACITY)
  private length = 0

  push(x: number, y: number): void {
    if (this.length === this.x.length) {
      this.x = doubled(this.x)
      this.y = doubled(this.y)
    }
    this.x[this.length] = x
    this.y[this.length] = y
    this.length++
  }

  read(): Line {
    return { x: this.x.subarray(0, this.length), y: this.y.subarray(0, this.length) }
  }
}

function doubled(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2)
  larger.set(column)
  return larger
}

/** Points of one run. x is tokens; explained variance has a point only where it was measured. */
export class LiveCurves {
  private readonly lines = {
    loss: new GrowingLine(),
    l0: new GrowingLine(),
    explainedVariance: new GrowingLine(),
    deadFraction: new GrowingLine(),
  }
  private readonly listeners = new Set<() => void>()
  /** The last point taken in. */
  last: MetricPoint | null = null

  /** The last step taken in, -1 before the first: where a new subscription goes on. */
  get lastStep(): number {
    return this.last?.step ?? -1
  }

  /** Takes in points after the last one; a point that came before is left out, so a repeated answer changes nothing. */
  append(points: readonly MetricPoint[]): number {
    let taken = 0
    for (const point of points) {
      if (point.step <= this.lastStep) continue
      this.last = point
      taken++
      for (const curve of CURVES) {
        const value = point[curve]
        if (value !== null) this.lines[curve].push(point.tokens, value)
      }
    }
    if (taken > 0) this.listeners.forEach((listener) => listener())
    return taken
  }

  /** Calls back after points came in, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** One curve as a chart wants it. */
  source(curve: Curve): LineSource {
    return markRaw({
      read: () => this.lines[curve].read(),
      end: () => this.last?.tokens ?? 0,
      onChange: (listener: () => void) => this.onChange(listener),
    })
  }
}

/** A set of empty curves that Vue leaves alone. */
export const makeLiveCurves = (): LiveCurves => markRaw(new LiveCurves())
