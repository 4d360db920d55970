/** Decides whether the sparse kernels can train a dictionary here, and opens them. */
import { availableParallelism } from 'node:os'
import type { BackendName } from '../../../shared/domain'
import type { Architecture, ArchitectureName } from '../sae/architecture'
import { hasFixedK, stepSettings, widthsOf } from '../train/settings'
import type { TrainerConfig } from '../train/settings'
import type { OpenSparse } from '../train/steps'
import * as places from './assembly/places'
import { LARGEST_MEMORY, panelsOf, planMemory } from './layout'
import type { KernelSizes } from './layout'
import { hasKernels } from './pool'
import { SparseRoute } from './sparse-route'

const KINDS: Record<ArchitectureName, number> = {
  standard: places.STANDARD,
  topk: places.LARGEST,
  batchtopk: places.LARGEST,
  matryoshka_batchtopk: places.LARGEST,
  jumprelu: places.JUMPRELU,
  gated: places.GATED,
}

/** Without a fixed k the kernels take over when about so many features in a thousand are active. */
const ACTIVE_SHARE = 1 / 12
const FEWEST_ACTIVE = 64
/** With k over the whole batch a unit of rows may hold so many times its share. */
const BATCH_ROOM = 4
/** A row's candidates are cut to k when they are so many times as many. */
const PRUNE_AT = 4
const FEWEST_CANDIDATES = 256

/** MONOSCOPE_THREADS sets the number, for machines that are shared. */
export function kernelThreads(): number {
  const wanted = Number(process.env.MONOSCOPE_THREADS)
  return Number.isInteger(wanted) && wanted > 0 ? wanted : availableParallelism()
}

export type KernelOptions = {
  architecture: Architecture
  dIn: number
  config: TrainerConfig
  backend: BackendName
  threads: number
}

/** Room for candidates of a row that keeps the k largest: appended to by eights before it is cut. */
const roomFor = (k: number, features: number) =>
  Math.min(features, Math.max(PRUNE_AT * k, FEWEST_CANDIDATES)) + places.LANES

function sizesOf({ architecture, dIn, config, backend, threads }: KernelOptions): KernelSizes {
  const { dSae, k, batchTokens, auxCoefficient } = config
  const features = panelsOf(dSae) * places.LANES
  const { auxK } = stepSettings(config, { dIn }, { step: 0, steps: 1, deadMask: null })
  const hasAux = hasFixedK(config) && auxCoefficient > 0
  const isRowWise = architecture.name === 'topk'
  const open = Math.max(FEWEST_ACTIVE, Math.ceil(ACTIVE_SHARE * dSae))
  const mostActive = isRowWise ? k : hasFixedK(config) ? BATCH_ROOM * k : open
  return {
    ...{ dIn, dSae, threads, batch: batchTokens, kind: KINDS[architecture.name] },
    groups: widthsOf(config).length,
    mostActive: Math.min(mostActive, features),
    candidates: isRowWise ? roomFor(k, features) : features,
    auxK: hasAux ? auxK : 0,
    auxCandidates: hasAux ? roomFor(auxK, features) : 0,
    isNative: backend === 'tensorflow',
  }
}

/** Bytes of the kernels' memory, whatever the machine has: before features die, and with what AuxK needs for those that have. */
export function kernelBytes(options: KernelOptions): { start: number; most: number } {
  const { startBytes, bytes } = planMemory(sizesOf(options))
  return { start: startBytes, most: bytes }
}

/**
 * Opens the sparse route, or says why steps stay dense: too large for WebAssembly, a runtime without the instructions, or a machine
 * without the memory. `reason` is for the log and empty when all is well.
 */
export function openKernels(options: KernelOptions): { open: OpenSparse; reason: string } {
  const { most: bytes } = kernelBytes(options)
  const gib = (bytes / 2 ** 30).toFixed(1)
  const without = (reason: string) => ({ open: () => null, reason: `${reason}: training steps stay dense` })
  if (bytes > LARGEST_MEMORY) return without(`the sparse kernels would need ${gib} GiB and WebAssembly ends at 4`)
  if (!hasKernels()) return without('this runtime lacks the WebAssembly instructions of the sparse kernels')
  const { architecture, dIn, config } = options
  const open: OpenSparse = (parameters) =>
    new SparseRoute(architecture, { dIn, dSae: config.dSae }, sizesOf(options), parameters)
  return { open, reason: '' }
}
