/** What is drawn over the points of a plane: lines from one point to others, rings around points, the line of a lasso. */
import { toScreen, type PlaneView, type Size, type Spot } from './plane-view'

export type Overlay = {
  positions: Float32Array
  /** From the first row to each other one. */
  lines: readonly number[]
  /** Rows with a ring. */
  rings: readonly number[]
  /** On the screen. */
  lasso: readonly Spot[]
  colour: string
  radius: number
}

/** Clears and draws; sizes in CSS pixels, which the context is scaled to. */
export function drawOverlay(context: CanvasRenderingContext2D, size: Size, view: PlaneView, overlay: Overlay): void {
  const { positions, lines, rings, lasso, colour, radius } = overlay
  const place = (row: number) => toScreen(view, size, { x: positions[2 * row] ?? 0, y: positions[2 * row + 1] ?? 0 })
  context.clearRect(0, 0, size.width, size.height)
  context.strokeStyle = colour
  context.fillStyle = colour
  const [first, ...others] = lines
  if (first !== undefined) {
    const from = place(first)
    context.lineWidth = 1
    context.beginPath()
    for (const to of others.map(place)) {
      context.moveTo(from.x, from.y)
      context.lineTo(to.x, to.y)
    }
    context.stroke()
  }
  context.lineWidth = 2
  for (const { x, y } of rings.map(place)) {
    context.beginPath()
    context.arc(x, y, radius + 4, 0, 2 * Math.PI)
    context.stroke()
  }
  if (lasso.length < 2) return
  context.beginPath()
  lasso.forEach(({ x, y }) => context.lineTo(x, y))
  context.closePath()
  context.lineWidth = 1.5
  context.stroke()
  context.globalAlpha = 0.12
  context.fill()
  context.globalAlpha = 1
}
