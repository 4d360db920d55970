/** The latest job of one kind that an autoencoder had, and the same while it goes on. */
import { computed } from 'vue'
import { hasEnded, type Job, type JobKind } from '../../shared/domain'
import { useAppInfo } from './info.store'

export function useLatestJob(kind: JobKind, saeId: () => number | null) {
  const app = useAppInfo()
  const job = computed(() => {
    const jobs = app.status?.jobs.filter((one) => one.kind === kind && one.saeId === saeId()) ?? []
    return jobs.reduce<Job | null>((last, one) => (last && last.id > one.id ? last : one), null)
  })
  const activeJob = computed(() => (job.value && !hasEnded(job.value.state) ? job.value : null))
  return { job, activeJob }
}
