/** Finds the point of a plane that is nearest to a place: points are kept by the square of a grid they lie in. */
import type { Spot } from './plane-view'

/** Points of one square on average. */
const POINTS_PER_SQUARE = 4

export class PlaneGrid {
  private readonly left: number
  private readonly bottom: number
  /** Side of a square. */
  private readonly side: number
  private readonly columns: number
  private readonly rows: number
  /** Square s holds `members` from starts[s] to starts[s + 1]. */
  private readonly starts: Int32Array
  private readonly members: Int32Array

  /** @param positions [n, 2] */
  constructor(private readonly positions: Float32Array) {
    const n = positions.length / 2
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity]
    for (let i = 0; i < n; i++) {
      left = Math.min(left, this.x(i))
      right = Math.max(right, this.x(i))
      bottom = Math.min(bottom, this.y(i))
      top = Math.max(top, this.y(i))
    }
    const [across, up] = n > 0 ? [right - left, top - bottom] : [0, 0]
    this.left = n > 0 ? left : 0
    this.bottom = n > 0 ? bottom : 0
    this.side =
      Math.max(Math.sqrt((POINTS_PER_SQUARE * across * up) / Math.max(1, n)), Math.max(across, up) / 1000) || 1
    this.columns = Math.floor(across / this.side) + 1
    this.rows = Math.floor(up / this.side) + 1
    this.starts = new Int32Array(this.columns * this.rows + 1)
    this.members = new Int32Array(n)
    this.sortIn(n)
  }

  /** The nearest point not further than `radius` away in units of the plane, the lower one among equals; null where there is none. */
  nearest({ x, y }: Spot, radius: number): number | null {
    let [best, nearest] = [radius * radius, -1]
    const [fromRow, toRow] = [this.row(y - radius), this.row(y + radius)]
    const [fromColumn, toColumn] = [this.column(x - radius), this.column(x + radius)]
    for (let row = fromRow; row <= toRow; row++) {
      for (let column = fromColumn; column <= toColumn; column++) {
        const square = row * this.columns + column
        for (let at = this.starts[square] ?? 0; at < (this.starts[square + 1] ?? 0); at++) {
          const i = this.members[at] ?? 0
          const distance = (this.x(i) - x) ** 2 + (this.y(i) - y) ** 2
          if (distance < best || (distance === best && (nearest < 0 || i < nearest))) [best, nearest] = [distance, i]
        }
      }
    }
    return nearest < 0 ? null : nearest
  }

  /** Counts the points of each square, then puts each into its square. */
  private sortIn(n: number): void {
    const squares = Int32Array.from(
      { length: n },
      (_, i) => this.row(this.y(i)) * this.columns + this.column(this.x(i)),
    )
    for (const square of squares) this.starts[square + 1] = (this.starts[square + 1] ?? 0) + 1
    for (let s = 1; s < this.starts.length; s++) this.starts[s] = (this.starts[s] ?? 0) + (this.starts[s - 1] ?? 0)
    const next = this.starts.slice()
    squares.forEach((square, i) => {
      const at = next[square] ?? 0
      this.members[at] = i
      next[square] = at + 1
    })
  }

  private x(i: number): number {
    return this.positions[2 * i] ?? 0
  }

  private y(i: number): number {
    return this.positions[2 * i + 1] ?? 0
  }

  private column(x: number): number {
    return Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.left) / this.side)))
  }

  private row(y: number): number {
    return Math.max(0, Math.min(this.rows - 1, Math.floor((y - this.bottom) / this.side)))
  }
}
