/** Dropping a file or folder on a form: the window tells where it lies, a browser does not. */
import { ref } from 'vue'

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false

/** Path of the first dropped item; null where the host tells none. */
export function droppedPath(event: DragEvent): string | null {
  const file = event.dataTransfer?.files[0]
  const path = file ? window.monoscope?.pathOf(file) : undefined
  return path === undefined || path === '' ? null : path
}

/** Listeners for the element that takes drops, and whether something is held over it. */
export function useDrop(onPath: (path: string) => void) {
  const isOver = ref(false)
  /** Something was dropped whose place is not known. */
  const isUnknown = ref(false)

  function over(event: DragEvent) {
    if (!hasFiles(event)) return
    // Without this the host opens what is dropped in place of the page.
    event.preventDefault()
    isOver.value = true
  }

  function leave(event: DragEvent) {
    const { currentTarget, relatedTarget } = event
    const isInside =
      currentTarget instanceof Element && relatedTarget instanceof Node && currentTarget.contains(relatedTarget)
    if (!isInside) isOver.value = false
  }

  function drop(event: DragEvent) {
    if (!hasFiles(event)) return
    event.preventDefault()
    isOver.value = false
    const path = droppedPath(event)
    isUnknown.value = path === null
    if (path !== null) onPath(path)
  }

  return { isOver, isUnknown, listeners: { dragenter: over, dragover: over, dragleave: leave, drop } }
}
