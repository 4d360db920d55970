/** Where in the kernels' memory everything lies, and how much of it a training needs. */
import * as places from './assembly/places'

/** WebAssembly memory ends here. */
export const LARGEST_MEMORY = 65536 * 65536
/** Everything starts on a cache line. */
const ALIGNMENT = 64
/** Behind the control block. */
const FIRST_BYTE = 64 * 1024
/**
 * Another library's product hands over so many rows at once: it is fastest with about a thousand, and with blocks below 32 MiB, which
 * allocators give again instead of mapping fresh pages.
 */
const SCAN_UNITS = 24
const SCAN_BYTES = 28 * 1024 * 1024
/**
 * Where nothing bounds L0, so many rows at least are taken through the step together, and their lists forgotten: the lists have room for
 * much more than is active in the end. Every band reads and writes the weights' gradients once more; twice as many rows were not faster.
 */
const BAND_UNITS = 24
/** Dictionaries nested in one another, at most; each has a place in the control block. */
export const MOST_GROUPS = 8

export type KernelSizes = {
  dIn: number
  dSae: number
  /** Rows of the largest batch. */
  batch: number
  kind: number
  /** Nested dictionaries. */
  groups: number
  /** Active features per row that the lists have room for, on average over a unit. */
  mostActive: number
  /** Candidates a row may have while it is encoded. */
  candidates: number
  /** 0 without AuxK. */
  auxK: number
  auxCandidates: number
  threads: number
  /** Whether another library multiplies inputs with the encoder. */
  isNative: boolean
}

/** Sizes as the kernels see them: dIn a multiple of 4, features in panels of 8. */
export const paddedIn = (dIn: number): number => Math.ceil(dIn / 4) * 4
export const panelsOf = (dSae: number): number => Math.ceil(dSae / places.LANES)
export const unitsOf = (rows: number): number => Math.ceil(rows / places.UNIT_ROWS)

/** Rows of a block that another library multiplies: whole units, at most 28 MiB of products. */
export function scanRowsOf(dSae: number): number {
  const unitBytes = 4 * places.UNIT_ROWS * panelsOf(dSae) * places.LANES
  return places.UNIT_ROWS * Math.max(1, Math.min(SCAN_UNITS, Math.floor(SCAN_BYTES / unitBytes)))
}

/** Rows whose lists and residuals are in memory at once: whole blocks of those that another library multiplies, or the whole batch. */
export function bandRowsOf({ batch, kind, dSae }: KernelSizes): number {
  const rows = unitsOf(batch) * places.UNIT_ROWS
  if (kind === places.LARGEST) return rows
  const block = scanRowsOf(dSae)
  return Math.min(rows, block * Math.ceil((BAND_UNITS * places.UNIT_ROWS) / block))
}

/** `startBytes` are enough until the first feature is dead; what AuxK needs lies behind. */
export type Layout = { addresses: Map<number, number>; scratchBytes: number; startBytes: number; bytes: number }

function scratchBytesOf(sizes: KernelSizes): number {
  const { candidates, auxCandidates, dIn, dSae, auxK, kind } = sizes
  const lists = places.UNIT_ROWS * (candidates + auxCandidates) * 8
  // Selections work in it.
  const spare = kind === places.LARGEST ? 4 * Math.max(places.UNIT_ROWS * candidates, auxCandidates) : 0
  // Inputs in the order of tiles or, where another library multiplies, a bit for every feature.
  const packed = Math.max(4 * places.UNIT_ROWS * paddedIn(dIn), panelsOf(dSae) + 16)
  const encode = 192 + 16 * places.UNIT_ROWS + lists + spare + packed
  const features = panelsOf(dSae) * places.LANES
  const firsts = 4 * (features + 1 + panelsOf(dSae))
  const gradients = (auxK > 0 ? 2 : 1) * firsts + firsts + ALIGNMENT + 4 * places.LANES * paddedIn(dIn)
  // A row may list all features; values and products of each are set aside.
  const finish = kind === places.LARGEST ? 8 * features : 8 * (features + places.LANES)
  return Math.ceil((Math.max(encode, gradients, finish) + ALIGNMENT) / ALIGNMENT) * ALIGNMENT
}

/** Gives everything an address. */
export function planMemory(sizes: KernelSizes): Layout {
  const { dSae, batch, kind, groups, mostActive, auxK, threads, isNative } = sizes
  const [dIn, panels, units] = [paddedIn(sizes.dIn), panelsOf(dSae), unitsOf(batch)]
  const features = panels * places.LANES
  const rows = units * places.UNIT_ROWS
  const bandRows = bandRowsOf(sizes)
  const entries = bandRows * mostActive
  const hasExtras = kind === places.JUMPRELU || kind === places.GATED
  // An active feature as its column sees it, see assembly/gradients.ts.
  const columnEntryBytes = hasExtras ? 16 : 12
  const addresses = new Map<number, number>()
  let at = FIRST_BYTE
  const add = (place: number, bytes: number) => {
    addresses.set(place, at)
    at += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
  }
  // Parameter, both moments, gradient.
  const addMoved = (place: number, count: number) => [0, 1, 2, 3].forEach((part) => add(place + part, 4 * count))
  addMoved(places.ENC, features * dIn)
  addMoved(places.DEC, features * dIn)
  addMoved(places.B_DEC, dIn)
  addMoved(places.BIAS, features)
  addMoved(places.EXTRA1, features)
  addMoved(places.EXTRA2, features)
  for (const place of [places.FLOOR, places.AUX_FLOOR, places.NORMS, places.THETA]) add(place, 4 * features)
  for (const place of [places.FEATURE_SUMS, places.GRADIENT_SUMS, places.TOUCHED]) add(place, 4 * features)
  add(places.PANEL_SQUARES, 8 * panels)
  add(places.INPUT, 4 * rows * dIn)
  add(places.RESIDUAL, 4 * bandRows * dIn * groups)
  for (const place of [places.ROW_FIRST, places.ROW_COUNT, places.AUX_COUNT]) add(place, 4 * rows)
  for (const place of [places.ENTRY_INDEX, places.ENTRY_VALUE, places.ENTRY_GRADIENT]) add(place, 4 * entries)
  add(places.ENTRY_EXTRA, hasExtras ? 4 * entries : 0)
  add(places.COLUMN_ENTRIES, columnEntryBytes * entries)
  add(places.UNIT_COLUMNS, 4 * units * dIn)
  add(places.UNIT_TAU, 4 * units)
  add(places.ROW_FIGURES, 8 * places.FIGURES * rows)
  add(places.SCANNED, isNative ? 4 * scanRowsOf(dSae) * features : 0)
  add(places.UNPACKED, isNative ? 4 * sizes.dIn * dSae : 0)
  const scratchBytes = scratchBytesOf(sizes)
  add(places.SCRATCH, threads * scratchBytes)
  if (kind === places.GATED) add(places.AUX_RESIDUAL, 4 * bandRows * dIn)
  const startBytes = at
  if (kind !== places.GATED) add(places.AUX_RESIDUAL, auxK > 0 ? 4 * rows * dIn : 0)
  for (const place of [places.AUX_INDEX, places.AUX_VALUE, places.AUX_GRADIENT]) add(place, 4 * rows * auxK)
  add(places.AUX_COLUMN_ENTRIES, columnEntryBytes * rows * auxK)
  return { addresses, scratchBytes, startBytes, bytes: at }
}
