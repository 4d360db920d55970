/** Lists of a unit of rows while it is encoded, in a thread's own memory, and what becomes of them: lists that the next phase reads. */
import {
  address, AUX_CANDIDATES, AUX_COUNT, AUX_FLOOR, AUX_INDEX, AUX_K, AUX_VALUE, CANDIDATES, CONTROL, ENTRY_INDEX, ENTRY_VALUE, FAILED, float,
  HAS_AUX, int, KIND, LARGEST, PRUNES_UNITS, ROW_COUNT, ROW_FIRST, ROW_K, scratch, TAU, UNIT_ENTRIES, UNIT_ROWS, UNIT_TAU, unitRows,
} from './control'
import { CANDIDATE, keepLargest, kthLargest } from './select'

/** Parts of a thread's scratch memory, in bytes. */
const TILE_BYTES: usize = 192
const COUNTS: usize = TILE_BYTES
export const TAUS: usize = COUNTS + 4 * UNIT_ROWS
const AUX_COUNTS: usize = TAUS + 4 * UNIT_ROWS
export const AUX_TAUS: usize = AUX_COUNTS + 4 * UNIT_ROWS
export const LISTS: usize = AUX_TAUS + 4 * UNIT_ROWS

@inline function countOf(counts: usize, row: i32): i32 {
  return load<i32>(counts + (<usize>row << 2))
}

/** Writes down one value; a full list is cut to its `keep` largest, and the row's limit raised to the smallest of them. */
@inline function append(
  counts: usize, taus: usize, first: usize, stride: i32, keep: i32, spare: usize, row: i32, feature: i32, value: f32,
): void {
  const place = counts + (<usize>row << 2)
  const list = first + <usize>row * <usize>stride * CANDIDATE
  let count = load<i32>(place)
  const to = list + <usize>count * CANDIDATE
  store<i32>(to, feature)
  store<f32>(to, value, 4)
  count++
  if (keep > 0 && count == stride) {
    store<f32>(taus + (<usize>row << 2), keepLargest(list, count, keep, spare))
    count = keep
  }
  store<i32>(place, count)
}

@inline export function appendActive(base: usize, row: i32, feature: i32, value: f32): void {
  append(base + COUNTS, base + TAUS, base + LISTS, int(CANDIDATES), int(ROW_K), spareOf(base), row, feature, value)
}

@inline export function appendAux(base: usize, row: i32, feature: i32, value: f32): void {
  append(base + AUX_COUNTS, base + AUX_TAUS, auxLists(base), int(AUX_CANDIDATES), int(AUX_K), spareOf(base), row, feature, value)
}

/** Which of eight values are above their floor and above the row's own limit, a bit each. */
@inline export function above(low: v128, high: v128, floor: usize, limit: v128): i32 {
  const lowBits = i32x4.bitmask(f32x4.gt(low, f32x4.max(v128.load(floor), limit)))
  return lowBits | (i32x4.bitmask(f32x4.gt(high, f32x4.max(v128.load(floor, 16), limit))) << 4)
}

/** Offsets behind the lists: the auxiliary ones, spare room where there is a selection, packed inputs. */
@inline function auxLists(base: usize): usize {
  return base + LISTS + <usize>(UNIT_ROWS * int(CANDIDATES)) * CANDIDATE
}

@inline function spareOf(base: usize): usize {
  return auxLists(base) + (int(HAS_AUX) != 0 ? <usize>(UNIT_ROWS * int(AUX_CANDIDATES)) * CANDIDATE : 0)
}

@inline export function packedOf(base: usize): usize {
  const candidates = max(UNIT_ROWS * int(CANDIDATES), int(AUX_CANDIDATES))
  return spareOf(base) + (int(KIND) == LARGEST ? <usize>candidates << 2 : 0)
}

/** A bit for every feature of a row, and eight bytes more; packed inputs are not needed where these are. */
@inline export function masksOf(base: usize): usize {
  return (packedOf(base) + 7) & ~7
}

export function clearLists(base: usize): void {
  for (let row = 0; row < UNIT_ROWS; row++) {
    const at = <usize>row << 2
    store<i32>(base + COUNTS + at, 0)
    store<f32>(base + TAUS + at, float(TAU))
    store<i32>(base + AUX_COUNTS + at, 0)
    store<f32>(base + AUX_TAUS + at, 0)
  }
}

/** Whether any of the eight features of a panel is dead: their floor is 0 then, infinite otherwise. */
@inline export function hasDead(panel: i32): bool {
  const floors = address(AUX_FLOOR) + (<usize>panel << 5)
  const zero = f32x4.splat(0)
  return v128.any_true(v128.or(f32x4.eq(v128.load(floors), zero), f32x4.eq(v128.load(floors, 16), zero)))
}

/** Whether a row that keeps its k largest has fewer, because it was not looked at below the limit that the last batch suggested. */
@inline export function isShort(base: usize, row: i32): bool {
  return float(TAU) > 0 && countOf(base + COUNTS, row) < int(ROW_K)
}

/** Forgets a row's candidates and its limit. */
export function startAgain(base: usize, row: i32): i32 {
  store<i32>(base + COUNTS + (<usize>row << 2), 0)
  store<f32>(base + TAUS + (<usize>row << 2), 0)
  return row
}

/** Moves the candidates of a unit's rows, cut to k where a row has one, into the lists that the next phase reads. */
export function writeLists(unit: i32, base: usize): void {
  const rows = unitRows(unit)
  const rowK = int(ROW_K)
  let total = 0
  for (let row = 0; row < rows; row++) total += rowK > 0 ? min(rowK, countOf(base + COUNTS, row)) : countOf(base + COUNTS, row)
  let unitTau: f32 = 0
  if (total > int(UNIT_ENTRIES)) {
    if (int(PRUNES_UNITS) == 0) {
      atomic.store<i32>(CONTROL + (FAILED << 2), 1)
      return
    }
    unitTau = cutOfUnit(base, rows, total)
  }
  store<f32>(address(UNIT_TAU) + (<usize>unit << 2), unitTau)
  let at = unit * int(UNIT_ENTRIES)
  for (let row = 0; row < rows; row++) {
    const list = base + LISTS + <usize>(row * int(CANDIDATES)) * CANDIDATE
    let count = countOf(base + COUNTS, row)
    if (rowK > 0 && count > rowK) {
      keepLargest(list, count, rowK, spareOf(base))
      count = rowK
    }
    const place = <usize>(unit * UNIT_ROWS + row) << 2
    const first = at
    for (let e = 0; e < count; e++) {
      const value = load<f32>(list + <usize>e * CANDIDATE, 4)
      if (value <= unitTau && unitTau > 0) continue
      store<i32>(address(ENTRY_INDEX) + (<usize>at << 2), load<i32>(list + <usize>e * CANDIDATE))
      store<f32>(address(ENTRY_VALUE) + (<usize>at << 2), value)
      at++
    }
    store<i32>(address(ROW_FIRST) + place, first)
    store<i32>(address(ROW_COUNT) + place, at - first)
    if (int(HAS_AUX) != 0) writeAux(unit * UNIT_ROWS + row, row, base)
  }
}

function writeAux(place: i32, row: i32, base: usize): void {
  const auxK = int(AUX_K)
  const list = auxLists(base) + <usize>(row * int(AUX_CANDIDATES)) * CANDIDATE
  let count = countOf(base + AUX_COUNTS, row)
  if (count > auxK) {
    keepLargest(list, count, auxK, spareOf(base))
    count = auxK
  }
  const first = <usize>place * <usize>auxK
  for (let e = 0; e < count; e++) {
    store<i32>(address(AUX_INDEX) + ((first + e) << 2), load<i32>(list + <usize>e * CANDIDATE))
    store<f32>(address(AUX_VALUE) + ((first + e) << 2), load<f32>(list + <usize>e * CANDIDATE, 4))
  }
  store<i32>(address(AUX_COUNT) + (<usize>place << 2), count)
}

/** A limit that three quarters of a full unit's entries are above. */
function cutOfUnit(base: usize, rows: i32, total: i32): f32 {
  const spare = spareOf(base)
  let at = 0
  for (let row = 0; row < rows; row++) {
    const list = base + LISTS + <usize>(row * int(CANDIDATES)) * CANDIDATE
    const count = countOf(base + COUNTS, row)
    for (let e = 0; e < count; e++) {
      store<f32>(spare + (<usize>at << 2), load<f32>(list + <usize>e * CANDIDATE, 4))
      at++
    }
  }
  return kthLargest(spare, total, (int(UNIT_ENTRIES) / 4) * 3)
}
