/** What a pointer does over a plane of points: drag to move, wheel to zoom, click to open, or draw a lasso. */
import type { Spot } from './plane-view'

export type PointerActions = {
  isLasso(): boolean
  pan(by: Spot): void
  zoom(factor: number, at: Spot): void
  hover(at: Spot | null): void
  click(at: Spot): void
  /** The line so far while it is drawn. */
  drawLasso(line: readonly Spot[]): void
  endLasso(line: readonly Spot[], isAdded: boolean): void
}

/** A press that moves less is a click. */
const CLICK_PX = 4
/** Corners of a lasso are at least so far apart. */
const CORNER_PX = 3
/** Wheels tell pixels, lines or pages. */
const WHEEL_UNITS = [1, 16, 400] as const

/** Listens on an element. @returns stops listening */
export function watchPointer(element: HTMLElement, actions: PointerActions): () => void {
  let pressed: { at: Spot; last: Spot; isDrag: boolean; line: Spot[] | null } | null = null
  const spotOf = (event: MouseEvent): Spot => {
    const { left, top } = element.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const distance = (a: Spot, b: Spot) => Math.hypot(a.x - b.x, a.y - b.y)

  function down(event: PointerEvent) {
    if (event.button !== 0) return
    const at = spotOf(event)
    pressed = { at, last: at, isDrag: false, line: actions.isLasso() ? [at] : null }
    element.setPointerCapture(event.pointerId)
  }
  function move(event: PointerEvent) {
    const at = spotOf(event)
    if (!pressed) return actions.hover(at)
    pressed.isDrag ||= distance(at, pressed.at) >= CLICK_PX
    if (pressed.line) {
      const corner = pressed.line.at(-1)
      if (corner && distance(corner, at) >= CORNER_PX) pressed.line.push(at)
      actions.drawLasso(pressed.line)
    } else if (pressed.isDrag) {
      actions.pan({ x: at.x - pressed.last.x, y: at.y - pressed.last.y })
      pressed.last = at
    }
  }
  function up(event: PointerEvent) {
    const before = pressed
    pressed = null
    if (!before) return
    if (before.line && before.isDrag) actions.endLasso(before.line, event.shiftKey)
    else {
      actions.drawLasso([])
      if (!before.isDrag && !before.line) actions.click(spotOf(event))
    }
  }
  function cancel() {
    pressed = null
    actions.drawLasso([])
  }
  function wheel(event: WheelEvent) {
    event.preventDefault()
    const pixels = event.deltaY * (WHEEL_UNITS[event.deltaMode] ?? 1)
    actions.zoom(Math.exp(-pixels / 400), spotOf(event))
  }
  const leave = () => actions.hover(null)

  const stop = new AbortController()
  const { signal } = stop
  element.addEventListener('pointerdown', down, { signal })
  element.addEventListener('pointermove', move, { signal })
  element.addEventListener('pointerup', up, { signal })
  element.addEventListener('pointercancel', cancel, { signal })
  element.addEventListener('pointerleave', leave, { signal })
  element.addEventListener('wheel', wheel, { signal, passive: false })
  return () => stop.abort()
}
