/** From products that another library has computed to lists of active features. */
import {
  address, AUX_FLOOR, BIAS, FLOOR, HAS_AUX, int, LANES, PANELS, ROW_K, SCAN_ROW, SCANNED, scratch, UNIT_ROWS, unitRows,
} from './control'
import { above, appendActive, appendAux, AUX_TAUS, clearLists, hasDead, isShort, masksOf, startAgain, TAUS, writeLists } from './lists'

/** A row's product with a feature that another library has computed, plus the bias. */
@inline function scanned(values: usize, feature: i32): f32 {
  const at = <usize>feature << 2
  return load<f32>(values + at) + load<f32>(address(BIAS) + at)
}

/** Looks through one row of products that another library has computed: first which are above, then these alone. */
function scanRow(unit: i32, row: i32, base: usize): void {
  const panels = int(PANELS)
  const values = address(SCANNED) + (<usize>(unit * UNIT_ROWS - int(SCAN_ROW) + row) * <usize>(panels * LANES) << 2)
  const masks = masksOf(base)
  const tau = base + TAUS + (<usize>row << 2)
  const limit = v128.load32_splat(tau)
  for (let panel = 0; panel < panels; panel++) {
    const at = <usize>panel << 5
    const bias = address(BIAS) + at
    const low = f32x4.add(v128.load(values + at), v128.load(bias))
    const high = f32x4.add(v128.load(values + at, 16), v128.load(bias, 16))
    store<u8>(masks + <usize>panel, <u8>above(low, high, address(FLOOR) + at, limit))
  }
  store<u64>(masks + <usize>panels, 0)
  for (let panel = 0; panel < panels; panel += LANES) {
    for (let bits = load<u64>(masks + <usize>panel); bits != 0; bits &= bits - 1) {
      const feature = panel * LANES + <i32>ctz(bits)
      const value = scanned(values, feature)
      // The limit rises when a list is full.
      if (int(ROW_K) == 0 || value > load<f32>(tau)) appendActive(base, row, feature, value)
    }
  }
}

/** The same for dead features, of which there are few. */
function scanAux(unit: i32, row: i32, base: usize): void {
  const panels = int(PANELS)
  const values = address(SCANNED) + (<usize>(unit * UNIT_ROWS - int(SCAN_ROW) + row) * <usize>(panels * LANES) << 2)
  const tau = base + AUX_TAUS + (<usize>row << 2)
  for (let panel = 0; panel < panels; panel++) {
    if (!hasDead(panel)) continue
    for (let feature = panel * LANES; feature < (panel + 1) * LANES; feature++) {
      const value = scanned(values, feature)
      const floor = load<f32>(address(AUX_FLOOR) + (<usize>feature << 2))
      if (value > max(floor, load<f32>(tau))) appendAux(base, row, feature, value)
    }
  }
}

/** Takes products of inputs and encoder that another library has computed, [rows, dSae padded to eight] from row SCAN_ROW on. */
export function scanUnit(unit: i32, thread: i32): void {
  const base = scratch(thread)
  const rows = unitRows(unit)
  clearLists(base)
  for (let row = 0; row < rows; row++) {
    scanRow(unit, row, base)
    if (isShort(base, row)) scanRow(unit, startAgain(base, row), base)
    if (int(HAS_AUX) != 0) scanAux(unit, row, base)
  }
  writeLists(unit, base)
}
