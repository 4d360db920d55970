/**
 * From inputs to lists of active features: the encoder's product tile by tile, and what is above its floor written down while the tile
 * is in the first cache. Nothing of size [batch, dSae] exists.
 */
import {
  address, AUX_FLOOR, B_DEC, BIAS, D_IN, ENC, FLOOR, HAS_AUX, INPUT, int, LANES, PANELS, ROWS, scratch, THREADS, TILE_ROWS, unitRows,
} from './control'
import { above, appendActive, appendAux, AUX_TAUS, clearLists, hasDead, isShort, packedOf, startAgain, TAUS, writeLists } from './lists'
import { packInputs, tile } from './tile'
import { subtract } from './vectors'

/** Which of a tile's [6][8] values are above their floor and their row's limit, a bit each: no branch for every row and panel. */
@inline function tileBits(tile: usize, floor: usize, taus: usize): u64 {
  let bits: u64 = 0
  for (let r = 0; r < TILE_ROWS; r++) {
    const values = tile + (<usize>r << 5)
    const limit = v128.load32_splat(taus + (<usize>r << 2))
    bits |= <u64>above(v128.load(values), v128.load(values, 16), floor, limit) << (r * LANES)
  }
  return bits
}

/** Writes down what of a tile is active and, where asked, what is auxiliary. */
@inline function lookThrough(base: usize, tile: usize, firstRow: i32, panel: i32, isAux: bool): void {
  const rowBytes = <usize>firstRow << 2
  const floors = <usize>panel << 5
  for (let bits = tileBits(tile, address(FLOOR) + floors, base + TAUS + rowBytes); bits != 0; bits &= bits - 1) {
    const at = <i32>ctz(bits)
    appendActive(base, firstRow + (at >> 3), panel * LANES + (at & 7), load<f32>(tile + (<usize>at << 2)))
  }
  if (!isAux) return
  for (let bits = tileBits(tile, address(AUX_FLOOR) + floors, base + AUX_TAUS + rowBytes); bits != 0; bits &= bits - 1) {
    const at = <i32>ctz(bits)
    appendAux(base, firstRow + (at >> 3), panel * LANES + (at & 7), load<f32>(tile + (<usize>at << 2)))
  }
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
      lookThrough(base, base, group * TILE_ROWS, panel, isAux)
    }
  }
  for (let row = 0; row < unitRows(unit); row++) if (isShort(base, row)) encodeRow(startAgain(base, row), base)
  writeLists(unit, base)
}

/** Encodes one row alone, from the inputs that are packed already. */
function encodeRow(row: i32, base: usize): void {
  const dIn = int(D_IN)
  const panels = int(PANELS)
  const inputs = packedOf(base) + (<usize>((row / TILE_ROWS) * dIn * TILE_ROWS) << 2)
  const values = base + (<usize>(row % TILE_ROWS) << 5)
  const tau = base + TAUS + (<usize>row << 2)
  for (let panel = 0; panel < panels; panel++) {
    const at = <usize>panel << 5
    tile(base, inputs, address(ENC) + <usize>panel * (<usize>dIn << 5), dIn, address(BIAS) + at)
    let bits = above(v128.load(values), v128.load(values, 16), address(FLOOR) + at, v128.load32_splat(tau))
    for (; bits != 0; bits &= bits - 1) {
      const lane = ctz(bits)
      appendActive(base, row, panel * LANES + lane, load<f32>(values + (<usize>lane << 2)))
    }
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
