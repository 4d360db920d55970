/**
 * From inputs to lists of active features: the encoder's product in tiles that never leave the registers and the first cache, and what
 * is above its floor written down. Nothing of size [batch, dSae] exists.
 */
import {
  address, AUX_CANDIDATES, AUX_COUNT, AUX_FLOOR, AUX_INDEX, AUX_K, AUX_VALUE, B_DEC, BIAS, CANDIDATES, CONTROL, D_IN, ENC, ENTRY_INDEX,
  ENTRY_VALUE, FAILED, FLOOR, float, HAS_AUX, INPUT, int, LANES, PANELS, PRUNES_UNITS, ROW_COUNT, ROW_FIRST, ROW_K, ROWS, SCAN_ROW, SCANNED,
  scratch, TAU, THREADS, TILE_ROWS, UNIT_ENTRIES, UNIT_ROWS, UNIT_TAU, unitRows,
} from './control'
import { CANDIDATE, keepLargest, kthLargest } from './select'
import { subtract } from './vectors'

/** Parts of a thread's scratch memory, in bytes. */
const TILE_BYTES: usize = 192
const COUNTS: usize = TILE_BYTES
const TAUS: usize = COUNTS + 4 * UNIT_ROWS
const AUX_COUNTS: usize = TAUS + 4 * UNIT_ROWS
const AUX_TAUS: usize = AUX_COUNTS + 4 * UNIT_ROWS
export const LISTS: usize = AUX_TAUS + 4 * UNIT_ROWS


@inline function countOf(counts: usize, row: i32): i32 {
  return load<i32>(counts + (<usize>row << 2))
}

/** Writes down the lanes of `bits`, whose values are at `values`. */
function append(
  counts: usize, taus: usize, first: usize, stride: i32, keep: i32, spare: usize,
  row: i32, feature: i32, bits: i32, values: usize,
): void {
  let count = countOf(counts, row)
  const list = first + <usize>row * <usize>stride * CANDIDATE
  while (bits != 0) {
    const lane = ctz(bits)
    bits &= bits - 1
    const to = list + <usize>count * CANDIDATE
    store<i32>(to, feature + lane)
    store<f32>(to, load<f32>(values + (<usize>lane << 2)), 4)
    count++
  }
  if (keep > 0 && count > stride - LANES) {
    store<f32>(taus + (<usize>row << 2), keepLargest(list, count, keep, spare))
    count = keep
  }
  store<i32>(counts + (<usize>row << 2), count)
}

/** Inputs of a unit in groups of six rows, side by side for every dimension: [group][dIn][6]. Rows that are not there are zero. */
function packInputs(to: usize, unit: i32): void {
  const dIn = int(D_IN)
  const rows = unitRows(unit)
  const from = address(INPUT) + <usize>(unit * UNIT_ROWS) * (<usize>dIn << 2)
  const groups = (rows + TILE_ROWS - 1) / TILE_ROWS
  for (let group = 0; group < groups; group++) {
    for (let r = 0; r < TILE_ROWS; r++) {
      const row = group * TILE_ROWS + r
      let at = to + (<usize>(group * dIn * TILE_ROWS + r) << 2)
      const source = from + <usize>row * (<usize>dIn << 2)
      const isThere = row < rows
      for (let j = 0; j < dIn; j++) {
        store<f32>(at, isThere ? load<f32>(source + (<usize>j << 2)) : 0)
        at += TILE_ROWS << 2
      }
    }
  }
}

@inline function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c)
}

/** Six rows times eight features plus the bias, into [6][8] at `to`. Twelve sums, two weights and one input fill the registers. */
function tile(to: usize, x: usize, w: usize, dIn: i32, bias: usize): void {
  let a0 = v128.load(bias)
  let a1 = v128.load(bias, 16)
  let b0 = a0
  let b1 = a1
  let c0 = a0
  let c1 = a1
  let d0 = a0
  let d1 = a1
  let e0 = a0
  let e1 = a1
  let f0 = a0
  let f1 = a1
  const end = w + (<usize>dIn << 5)
  while (w < end) {
    let w0 = v128.load(w)
    let w1 = v128.load(w, 16)
    let s = v128.load32_splat(x)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 4)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 8)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 12)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x, 16)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x, 20)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
    w0 = v128.load(w, 32)
    w1 = v128.load(w, 48)
    s = v128.load32_splat(x, 24)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 28)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 32)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 36)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x, 40)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x, 44)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
    w += 64
    x += 48
  }
  v128.store(to, a0)
  v128.store(to, a1, 16)
  v128.store(to, b0, 32)
  v128.store(to, b1, 48)
  v128.store(to, c0, 64)
  v128.store(to, c1, 80)
  v128.store(to, d0, 96)
  v128.store(to, d1, 112)
  v128.store(to, e0, 128)
  v128.store(to, e1, 144)
  v128.store(to, f0, 160)
  v128.store(to, f1, 176)
}

/** Lanes of eight values that are above their floor and above the row's own limit. */
@inline function above(values: usize, floor: usize, tau: f32): i32 {
  const limit = f32x4.splat(tau)
  const low = f32x4.gt(v128.load(values), f32x4.max(v128.load(floor), limit))
  const high = f32x4.gt(v128.load(values, 16), f32x4.max(v128.load(floor, 16), limit))
  if (!v128.any_true(v128.or(low, high))) return 0
  return i32x4.bitmask(low) | (i32x4.bitmask(high) << 4)
}

/** Offsets behind the lists: the auxiliary ones, spare room for a selection, packed inputs. */
@inline function auxLists(base: usize): usize {
  return base + LISTS + <usize>(UNIT_ROWS * int(CANDIDATES)) * CANDIDATE
}

@inline function spareOf(base: usize): usize {
  return auxLists(base) + (int(HAS_AUX) != 0 ? <usize>(UNIT_ROWS * int(AUX_CANDIDATES)) * CANDIDATE : 0)
}

@inline export function packedOf(base: usize): usize {
  const candidates = max(UNIT_ROWS * int(CANDIDATES), int(AUX_CANDIDATES))
  return spareOf(base) + (<usize>candidates << 2)
}

function clearLists(base: usize): void {
  for (let row = 0; row < UNIT_ROWS; row++) {
    const at = <usize>row << 2
    store<i32>(base + COUNTS + at, 0)
    store<f32>(base + TAUS + at, float(TAU))
    store<i32>(base + AUX_COUNTS + at, 0)
    store<f32>(base + AUX_TAUS + at, 0)
  }
}

/** Looks through eight values of a row for active and, where asked, for auxiliary features. */
@inline function look(base: usize, row: i32, feature: i32, values: usize, isAux: bool): void {
  const at = <usize>row << 2
  const floors = <usize>feature << 2
  const bits = above(values, address(FLOOR) + floors, load<f32>(base + TAUS + at))
  if (bits != 0) {
    append(base + COUNTS, base + TAUS, base + LISTS, int(CANDIDATES), int(ROW_K), spareOf(base), row, feature, bits, values)
  }
  if (!isAux) return
  const auxBits = above(values, address(AUX_FLOOR) + floors, load<f32>(base + AUX_TAUS + at))
  if (auxBits == 0) return
  append(
    base + AUX_COUNTS, base + AUX_TAUS, auxLists(base), int(AUX_CANDIDATES), int(AUX_K), spareOf(base), row, feature, auxBits, values,
  )
}

/** Whether any of the eight features of a panel is dead: their floor is 0 then, infinite otherwise. */
@inline function hasDead(panel: i32): bool {
  const floors = address(AUX_FLOOR) + (<usize>panel << 5)
  const zero = f32x4.splat(0)
  return v128.any_true(v128.or(f32x4.eq(v128.load(floors), zero), f32x4.eq(v128.load(floors, 16), zero)))
}

/** Encodes a unit of rows with the kernel's own product. */
export function encodeUnit(unit: i32, thread: i32): void {
  const base = scratch(thread)
  const packed = packedOf(base)
  const dIn = int(D_IN)
  const panels = int(PANELS)
  const groups = (unitRows(unit) + TILE_ROWS - 1) / TILE_ROWS
  const aux = int(HAS_AUX) != 0
  packInputs(packed, unit)
  clearLists(base)
  for (let panel = 0; panel < panels; panel++) {
    const weights = address(ENC) + <usize>panel * (<usize>dIn << 5)
    const bias = address(BIAS) + (<usize>panel << 5)
    const isAux = aux && hasDead(panel)
    for (let group = 0; group < groups; group++) {
      tile(base, packed + (<usize>(group * dIn * TILE_ROWS) << 2), weights, dIn, bias)
      for (let r = 0; r < TILE_ROWS; r++) {
        look(base, group * TILE_ROWS + r, panel * LANES, base + (<usize>r << 5), isAux)
      }
    }
  }
  for (let row = 0; row < unitRows(unit); row++) if (isShort(base, row)) encodeRow(startAgain(base, row), base)
  writeLists(unit, base)
}

/** Looks through one row of products that another library has computed. */
function scanRow(unit: i32, row: i32, base: usize, isAux: bool): void {
  const width = int(PANELS) * LANES
  let values = address(SCANNED) + (<usize>(unit * UNIT_ROWS - int(SCAN_ROW) + row) * <usize>width << 2)
  let bias = address(BIAS)
  for (let feature = 0; feature < width; feature += LANES) {
    v128.store(base, f32x4.add(v128.load(values), v128.load(bias)))
    v128.store(base, f32x4.add(v128.load(values, 16), v128.load(bias, 16)), 16)
    look(base, row, feature, base, isAux && hasDead(feature / LANES))
    values += 32
    bias += 32
  }
}

/** Takes products of inputs and encoder that another library has computed, [rows, dSae padded to eight] from row SCAN_ROW on. */
export function scanUnit(unit: i32, thread: i32): void {
  const base = scratch(thread)
  const rows = unitRows(unit)
  const aux = int(HAS_AUX) != 0
  clearLists(base)
  for (let row = 0; row < rows; row++) scanRow(unit, row, base, aux)
  for (let row = 0; row < rows; row++) if (isShort(base, row)) scanRow(unit, startAgain(base, row), base, false)
  writeLists(unit, base)
}

/** Whether a row that keeps its k largest has fewer, because it was not looked at below the limit that the last batch suggested. */
@inline function isShort(base: usize, row: i32): bool {
  return float(TAU) > 0 && countOf(base + COUNTS, row) < int(ROW_K)
}

/** Forgets a row's candidates and its limit. */
function startAgain(base: usize, row: i32): i32 {
  store<i32>(base + COUNTS + (<usize>row << 2), 0)
  store<f32>(base + TAUS + (<usize>row << 2), 0)
  return row
}

/** Encodes one row alone, from the inputs that are packed already. */
function encodeRow(row: i32, base: usize): void {
  const dIn = int(D_IN)
  const panels = int(PANELS)
  const inputs = packedOf(base) + (<usize>((row / TILE_ROWS) * dIn * TILE_ROWS) << 2)
  for (let panel = 0; panel < panels; panel++) {
    tile(base, inputs, address(ENC) + <usize>panel * (<usize>dIn << 5), dIn, address(BIAS) + (<usize>panel << 5))
    look(base, row, panel * LANES, base + (<usize>(row % TILE_ROWS) << 5), false)
  }
}

/** x - b_dec for this thread's rows. */
export function shiftInput(thread: i32): void {
  const bytes = <usize>int(D_IN) << 2
  for (let row = thread; row < int(ROWS); row += int(THREADS)) {
    const at = address(INPUT) + <usize>row * bytes
    subtract(at, bytes, at, address(B_DEC))
  }
}

/** Moves the candidates of a unit's rows, cut to k where a row has one, into the lists that the next phase reads. */
function writeLists(unit: i32, base: usize): void {
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
