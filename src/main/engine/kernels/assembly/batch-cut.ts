/** The smallest activation that stays when a whole batch keeps its largest, and the striking out of equals beyond their number. */
import {
  address, ENTRY_GRADIENT, ENTRY_VALUE, int, PANELS, LANES, ROW_COUNT, ROW_FIRST, ROWS, UNIT_ROWS, UNIT_TAU, WANTED, D_IN, D_SAE, ENC,
  UNPACKED, THREADS,
} from './control'
import { kthLargest } from './select'

/** Below every activation: marks an entry that the next phase leaves out. */
const STRUCK: f32 = -1

@inline function firstOf(row: i32): usize {
  return <usize>load<i32>(address(ROW_FIRST) + (<usize>row << 2)) << 2
}

@inline function countOf(row: i32): i32 {
  return load<i32>(address(ROW_COUNT) + (<usize>row << 2))
}

/** Number of candidates listed in all rows. */
export function listed(): i32 {
  let total = 0
  for (let row = 0; row < int(ROWS); row++) total += countOf(row)
  return total
}

/** The largest limit at which a unit gave candidates up; 0 when none did. */
export function largestUnitTau(): f32 {
  let most: f32 = 0
  const units = (int(ROWS) + UNIT_ROWS - 1) / UNIT_ROWS
  for (let unit = 0; unit < units; unit++) most = max(most, load<f32>(address(UNIT_TAU) + (<usize>unit << 2)))
  return most
}

/** Number of candidates not below `cut` in the unit that has most of them. */
export function fullestUnit(cut: f32): i32 {
  let most = 0
  let count = 0
  for (let row = 0; row < int(ROWS); row++) {
    if (row % UNIT_ROWS == 0) count = 0
    const values = address(ENTRY_VALUE) + firstOf(row)
    for (let e = 0; e < countOf(row); e++) if (load<f32>(values + (<usize>e << 2)) >= cut) count++
    most = max(most, count)
  }
  return most
}

/** Returns the WANTED-th largest value and strikes out those of its equals that come last; 0 when all stay. */
export function cutBatch(): f32 {
  const wanted = int(WANTED)
  const total = listed()
  if (total <= wanted) return 0
  // The gradients of the entries are not there yet: their place serves as spare room.
  const spare = address(ENTRY_GRADIENT)
  let at: usize = 0
  for (let row = 0; row < int(ROWS); row++) {
    const bytes = <usize>countOf(row) << 2
    memory.copy(spare + at, address(ENTRY_VALUE) + firstOf(row), bytes)
    at += bytes
  }
  const cut = kthLargest(spare, total, wanted)
  let above = 0
  let equal = 0
  for (let e = 0; e < total; e++) {
    const value = load<f32>(spare + (<usize>e << 2))
    if (value > cut) above++
    else if (value == cut) equal++
  }
  if (above + equal > wanted) strikeEquals(cut, wanted - above)
  return cut
}

function strikeEquals(cut: f32, allowed: i32): void {
  let left = allowed
  for (let row = 0; row < int(ROWS); row++) {
    const values = address(ENTRY_VALUE) + firstOf(row)
    for (let e = 0; e < countOf(row); e++) {
      const at = values + (<usize>e << 2)
      if (load<f32>(at) != cut) continue
      if (left > 0) left--
      else store<f32>(at, STRUCK)
    }
  }
}

/** The encoder's panels as [dIn, dSae], for another library's product; every thread takes some of the panels. */
export function unpackEncoder(thread: i32): void {
  const dIn = int(D_IN)
  const dSae = int(D_SAE)
  for (let panel = thread; panel < int(PANELS); panel += int(THREADS)) {
    const lanes = min(LANES, dSae - panel * LANES)
    for (let j = 0; j < dIn; j++) {
      const from = address(ENC) + (<usize>(panel * dIn + j) << 5)
      const to = address(UNPACKED) + (<usize>(j * dSae + panel * LANES) << 2)
      memory.copy(to, from, <usize>lanes << 2)
    }
  }
}
