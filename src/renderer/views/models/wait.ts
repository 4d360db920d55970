/** Tells a wait that is long enough to be explained from one that is over before anyone reads. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** The first question loads the model; from this wait on the page says so. */
const SLOW_MS = 200

/** True once `isWaiting` has held for 200 ms. Stops with the scope it is called in. */
export function useSlow(isWaiting: Ref<boolean>): Readonly<Ref<boolean>> {
  const isSlow = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    isWaiting,
    (waits) => {
      clearTimeout(timer)
      isSlow.value = false
      if (waits) timer = setTimeout(() => (isSlow.value = true), SLOW_MS)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => clearTimeout(timer))
  return isSlow
}
