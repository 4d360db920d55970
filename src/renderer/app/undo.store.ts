/** The last changes that can be taken back: each says what it was and how. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

/** `text` is what was done, in the language of the moment. */
export type Undoable = { text: string; undo: () => Promise<unknown> }

/** Changes that are kept. */
const MOST = 20
/** How long the last one is offered on the screen; the shortcut works on. */
const SHOWN_MS = 8000

export const useUndo = defineStore('undo', () => {
  const changes = shallowRef<Undoable[]>([])
  const isShown = ref(false)
  const error = shallowRef<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  const last = computed(() => changes.value.at(-1) ?? null)

  function hide(): void {
    clearTimeout(timer)
    isShown.value = false
    error.value = null
  }

  function did(change: Undoable): void {
    changes.value = [...changes.value, change].slice(-MOST)
    error.value = null
    isShown.value = true
    clearTimeout(timer)
    timer = setTimeout(hide, SHOWN_MS)
  }

  /** Takes the last change back; when that fails it stays, and the reason is shown. */
  async function undo(): Promise<void> {
    const change = last.value
    if (!change) return
    changes.value = changes.value.slice(0, -1)
    hide()
    try {
      await change.undo()
    } catch (failure) {
      did(change)
      error.value = failure
    }
  }

  return { last, isShown, error, did, undo, hide }
})
