/** What main needs to know of a run's checkpoint: whether there is one, and at which step it was written. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Run } from '../../shared/domain'
import type { StoredRun } from '../store/runs'

/** The folder that a training writes its checkpoints to. @param folder of the run */
export const checkpointFolder = (folder: string): string => join(folder, 'checkpoint')

const Head = z.looseObject({ step: z.int().min(0) })

/** States from which a run can go on. */
const RESUMABLE: readonly string[] = ['interrupted', 'cancelled', 'failed']

function stepIn(folder: string): number | null {
  try {
    const head = Head.safeParse(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')))
    return head.success ? head.data.step : null
  } catch {
    return null
  }
}

/** Step of the checkpoint that a run would go on from, or null; one that waits under its other name after a crash counts. */
export function checkpointStep(folder: string): number | null {
  const path = checkpointFolder(folder)
  return stepIn(path) ?? stepIn(`${path}.previous`)
}

export const isResumable = ({ state }: Pick<StoredRun, 'state'>): boolean => RESUMABLE.includes(state)

/** A run with what its folder says about going on with it. @param folder of the run */
export function withResume(run: StoredRun, folder: string): Run {
  const resumeStep = isResumable(run) ? checkpointStep(folder) : null
  return { ...run, canResume: resumeStep !== null, resumeStep }
}
