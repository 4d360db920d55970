/** The tour through the bundled demo: starts it, remembers what it made, and which steps were looked at. Outlives a reload. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { z } from 'zod'
import { client } from './client'
import { language } from './i18n'
import { useCurrentSae } from './current-sae.store'

const KEY = 'monoscope-tour'
const STEPS = ['run', 'features', 'search', 'model', 'catalog'] as const
export type TourStep = (typeof STEPS)[number]

const Tour = z.object({
  workspace: z.string(),
  ...{ runId: z.int(), saeId: z.int(), modelId: z.int() },
  seen: z.array(z.enum(STEPS)),
})
type Tour = z.infer<typeof Tour>

function readTour(): Tour | null {
  try {
    return Tour.parse(JSON.parse(localStorage.getItem(KEY) ?? ''))
  } catch {
    // None was begun, or an older program wrote it otherwise.
    return null
  }
}

export const useTour = defineStore('tour', () => {
  const tour = shallowRef<Tour | null>(readTour())
  const isStarting = ref(false)
  const error = shallowRef<unknown>(null)

  function keep(next: Tour | null): void {
    tour.value = next
    if (next) localStorage.setItem(KEY, JSON.stringify(next))
    else localStorage.removeItem(KEY)
  }

  /** Brings the demo into the workspace and starts its small training. @returns whether it has begun */
  async function start(): Promise<boolean> {
    if (isStarting.value) return false
    isStarting.value = true
    error.value = null
    try {
      const { workspace } = await client.call('app.info', {})
      const { run, saes, model } = await client.call('demo.start', { language: language.value })
      keep({ workspace: workspace.path, runId: run.id, saeId: saes[0]?.id ?? 0, modelId: model.id, seen: [] })
      await useCurrentSae().load()
      return true
    } catch (failure) {
      error.value = failure
      return false
    } finally {
      isStarting.value = false
    }
  }

  const pathOf = ({ runId, saeId, modelId }: Tour): Record<TourStep, string> => ({
    ...{ run: `/runs/${runId}`, features: `/features/${saeId}`, search: '/search' },
    ...{ model: `/models/${modelId}`, catalog: '/catalog' },
  })
  const steps = computed(() => {
    const now = tour.value
    return now ? STEPS.map((step) => ({ step, path: pathOf(now)[step], isSeen: now.seen.includes(step) })) : []
  })

  function see(step: TourStep): void {
    const now = tour.value
    if (now && !now.seen.includes(step)) keep({ ...now, seen: [...now.seen, step] })
  }

  return { tour, steps, isStarting, error, start, see, end: () => keep(null) }
})
