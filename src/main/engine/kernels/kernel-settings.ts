/** Writes sizes and the settings of a step where the kernels read them. */
import type { Architecture, StepSettings } from '../sae/architecture'
import * as places from './assembly/places'
import type { KernelMemory } from './kernel-memory'
import { paddedIn, panelsOf } from './layout'
import type { KernelSizes } from './layout'

/** What stays the same over a training. */
export function writeSizes(memory: KernelMemory, sizes: KernelSizes, architecture: Architecture): void {
  const features = panelsOf(sizes.dSae) * places.LANES
  const isBatchWise = sizes.kind === places.LARGEST && architecture.name !== 'topk'
  memory.setInt(places.D_IN, paddedIn(sizes.dIn))
  memory.setInt(places.D_SAE, sizes.dSae)
  memory.setInt(places.PANELS, panelsOf(sizes.dSae))
  memory.setInt(places.KIND, sizes.kind)
  memory.setInt(places.UNIT_ENTRIES, sizes.mostActive * places.UNIT_ROWS)
  memory.setInt(places.CANDIDATES, sizes.candidates)
  memory.setInt(places.AUX_CANDIDATES, sizes.auxCandidates)
  memory.setInt(places.SHIFTS_INPUT, architecture.shiftsInput ? 1 : 0)
  memory.setInt(places.THREADS, sizes.threads)
  memory.setInt(places.PRUNES_UNITS, isBatchWise ? 1 : 0)
  // Features that only fill the last panel are never active.
  memory.float32(places.FLOOR, features).fill(Number.POSITIVE_INFINITY, sizes.dSae)
  memory.float32(places.AUX_FLOOR, features).fill(Number.POSITIVE_INFINITY)
}

/** What a step depends on besides parameters and batch. */
export function writeSettings(
  memory: KernelMemory,
  settings: StepSettings,
  { rows, sizes, isRowWise }: { rows: number; sizes: KernelSizes; isRowWise: boolean },
): void {
  const { auxCoefficient, auxK, bandwidth, deadMask, k, sparsity, widths } = settings
  if (widths.length !== sizes.groups) throw new Error(`the kernels were opened for ${sizes.groups} widths`)
  const hasAux = sizes.auxK > 0 && deadMask?.includes(1) === true
  memory.setInt(places.ROWS, rows)
  memory.setInt(places.GROUPS, widths.length)
  widths.forEach((width, g) => memory.setInt(places.NESTED + g, width))
  memory.setInt(places.ROW_K, isRowWise ? k : 0)
  memory.setInt(places.HAS_AUX, hasAux ? 1 : 0)
  memory.setInt(places.AUX_K, Math.min(auxK, sizes.auxK))
  memory.setInt(places.LOG_THRESHOLD, settings.thresholdForm === 'log' ? 1 : 0)
  memory.setFloat(places.TAU, sizes.kind === places.JUMPRELU ? Number.NEGATIVE_INFINITY : 0)
  memory.setFloat(places.CUT, 0)
  memory.setFloat(places.OUT_SCALE, 2 / rows)
  memory.setFloat(places.AUX_SCALE, (2 * auxCoefficient) / rows)
  memory.setFloat(places.PENALTY, sparsity / rows)
  memory.setFloat(places.BANDWIDTH, bandwidth)
  if (hasAux) {
    memory.growForAux()
    const floor = memory.float32(places.AUX_FLOOR, sizes.dSae)
    deadMask.forEach((isDead, i) => (floor[i] = isDead ? 0 : Number.POSITIVE_INFINITY))
  }
  writeNonlinearity(memory, settings, sizes)
}

/** jumprelu: thresholds and the lower end of their kernels; gated: exp(r_mag). */
function writeNonlinearity(memory: KernelMemory, { thresholdForm, bandwidth }: StepSettings, sizes: KernelSizes): void {
  const { dSae, kind } = sizes
  const theta = memory.float32(places.THETA, dSae)
  if (kind === places.JUMPRELU) {
    const threshold = memory.float32(places.EXTRA1, dSae)
    const floor = memory.float32(places.FLOOR, dSae)
    for (let i = 0; i < dSae; i++) {
      const held = threshold[i] ?? 0
      theta[i] = thresholdForm === 'log' ? Math.exp(held) : Math.max(held, 0)
      floor[i] = (theta[i] ?? 0) - bandwidth / 2
    }
  } else if (kind === places.GATED) {
    memory.float32(places.EXTRA2, dSae).forEach((held, i) => (theta[i] = Math.exp(held)))
  }
}
