/** What part of a plane of points is on the screen: the point in the middle, and how large a unit of the plane is drawn. */

/** `scale` in pixels per unit; y grows upwards in the plane and downwards on the screen. */
export type PlaneView = { x: number; y: number; scale: number }
export type Size = { width: number; height: number }
export type Spot = { x: number; y: number }

/** Share of the screen that the points fill when all are shown. */
const FILLED = 0.92
/** A single point is shown with so much of the plane around it. */
const SMALLEST_EXTENT = 1

export const toScreen = ({ x, y, scale }: PlaneView, { width, height }: Size, spot: Spot): Spot => ({
  x: width / 2 + (spot.x - x) * scale,
  y: height / 2 - (spot.y - y) * scale,
})

export const toPlane = ({ x, y, scale }: PlaneView, { width, height }: Size, spot: Spot): Spot => ({
  x: x + (spot.x - width / 2) / scale,
  y: y - (spot.y - height / 2) / scale,
})

/**
 * The view in which some points fill the screen.
 * @param positions [n, 2]
 * @param rows which of them; all unless given
 */
export function fitView(positions: Float32Array, { width, height }: Size, rows?: Iterable<number>): PlaneView {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity]
  const reach = (row: number) => {
    const [x, y] = [positions[2 * row] ?? 0, positions[2 * row + 1] ?? 0]
    left = Math.min(left, x)
    right = Math.max(right, x)
    bottom = Math.min(bottom, y)
    top = Math.max(top, y)
  }
  if (rows) for (const row of rows) reach(row)
  else for (let row = 0; 2 * row < positions.length; row++) reach(row)
  if (left > right) return { x: 0, y: 0, scale: 1 }
  const [across, up] = [Math.max(SMALLEST_EXTENT, right - left), Math.max(SMALLEST_EXTENT, top - bottom)]
  const scale = FILLED * Math.min(width / across, height / up)
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.max(scale, Number.MIN_VALUE) }
}

/** Makes everything `factor` times as large; what is at `spot` of the screen stays there. */
export function zoomAt(view: PlaneView, size: Size, factor: number, spot: Spot): PlaneView {
  const kept = toPlane(view, size, spot)
  const scale = view.scale * factor
  return {
    x: kept.x - (spot.x - size.width / 2) / scale,
    y: kept.y + (spot.y - size.height / 2) / scale,
    scale,
  }
}

/** Moves what is shown by pixels of the screen. */
export const panBy = (view: PlaneView, by: Spot): PlaneView => ({
  ...view,
  x: view.x - by.x / view.scale,
  y: view.y + by.y / view.scale,
})
