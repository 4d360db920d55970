/** Which points a line drawn around them encloses. */
import type { Spot } from './plane-view'

/**
 * Whether a place lies inside a closed line: a ray to the right crosses it an odd number of times. Where the line crosses itself, what it
 * goes round twice is outside.
 */
export function isInside(line: readonly Spot[], { x, y }: Spot): boolean {
  let isIn = false
  let before = line.at(-1)
  for (const corner of line) {
    if (before && corner.y > y !== before.y > y) {
      const crossing = before.x + ((y - before.y) / (corner.y - before.y)) * (corner.x - before.x)
      if (x < crossing) isIn = !isIn
    }
    before = corner
  }
  return isIn
}

/** Rows of `positions` [n, 2] inside a closed line, ascending; fewer than three corners enclose nothing. */
export function enclosed(positions: Float32Array, line: readonly Spot[]): number[] {
  if (line.length < 3) return []
  const [xs, ys] = [line.map(({ x }) => x), line.map(({ y }) => y)]
  const reduce = (values: readonly number[], pick: (a: number, b: number) => number) =>
    values.reduce((a, b) => pick(a, b))
  const [left, right, bottom, top] = [
    ...[reduce(xs, Math.min), reduce(xs, Math.max)],
    ...[reduce(ys, Math.min), reduce(ys, Math.max)],
  ] as [number, number, number, number]
  const found: number[] = []
  for (let row = 0; 2 * row < positions.length; row++) {
    const spot = { x: positions[2 * row] ?? 0, y: positions[2 * row + 1] ?? 0 }
    if (spot.x < left || spot.x > right || spot.y < bottom || spot.y > top) continue
    if (isInside(line, spot)) found.push(row)
  }
  return found
}
