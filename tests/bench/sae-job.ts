/** What a measuring process is asked for. */
import type { ArchitectureName } from '../../src/shared/training'
import type { BackendName } from '../../src/shared/domain'

export type SaeJob = {
  architecture: ArchitectureName
  backend: BackendName
  dIn: number
  dSae: number
  batch: number
  k: number
  l1: number
  warmSteps: number
  steps: number
  threads: number
}
