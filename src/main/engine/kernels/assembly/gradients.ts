/**
 * Gradients of the weights: every thread takes its own panels of eight features and gathers, feature by feature, the rows it was active in.
 * Lists may hold a band of the batch's rows at a time; later bands are added to what the first has left.
 */
import {
  address, AUX_COLUMN_ENTRIES, AUX_COUNT, AUX_GRADIENT, AUX_INDEX, AUX_K, AUX_RESIDUAL, AUX_VALUE, B_DEC, BAND_END, BAND_FIRST, BANDWIDTH, BIAS,
  COLUMN_ENTRIES,
  COUNT_SCALE, D_IN, DEC, ENC, ENTRY_EXTRA, ENTRY_GRADIENT, ENTRY_INDEX, ENTRY_VALUE, EXTRA1, EXTRA2, FEATURE_SUMS, float, GATED,
  GRADIENT_SUMS, GROUPS, HAS_AUX, INPUT, int, JUMPRELU, KIND, LANES, LOG_THRESHOLD, NESTED, NORMS, PANEL_SQUARES, PANELS, PENALTY,
  RESIDUAL, ROW_COUNT, ROW_FIRST, ROWS, scratch, SHIFTS_INPUT, STANDARD, THETA, THREADS, TOUCHED, UNIT_COLUMNS, UNIT_ROWS,
} from './control'
import { combine1, combine4, squares } from './vectors'

/** An entry as its feature sees it: its row, f, dL/dpre and, where the kind has one, a number of its own. */
@inline function entryBytes(): usize {
  return int(KIND) >= JUMPRELU ? 16 : 12
}
/** Stands for the norm of a zero row where it is divided by. */
const SMALLEST_NORM: f32 = 1e-20

@inline function gradientOf(array: i32): usize {
  return address(array + 3)
}

@inline function mine(i: i32, thread: i32, threads: i32): bool {
  return <u32>(i >>> 3) % <u32>threads == <u32>thread
}

/** Where the entries of each feature begin, into `firsts` [features + 1]; counted over all rows of the band by every thread for itself. */
function countEntries(firsts: usize, isAux: bool): void {
  const features = int(PANELS) * LANES
  memory.fill(firsts, 0, <usize>(features + 1) << 2)
  const rows = int(BAND_END)
  for (let r = int(BAND_FIRST); r < rows; r++) {
    const first = isAux ? r * int(AUX_K) : load<i32>(address(ROW_FIRST) + (<usize>r << 2))
    const count = load<i32>(address(isAux ? AUX_COUNT : ROW_COUNT) + (<usize>r << 2))
    const index = address(isAux ? AUX_INDEX : ENTRY_INDEX) + (<usize>first << 2)
    for (let e = 0; e < count; e++) {
      const at = firsts + (<usize>load<i32>(index + (<usize>e << 2)) << 2)
      store<i32>(at, load<i32>(at, 4) + 1, 4)
    }
  }
  let sum = 0
  for (let i = 1; i <= features; i++) {
    const at = firsts + (<usize>i << 2)
    sum += load<i32>(at)
    store<i32>(at, sum)
  }
}

/** Copies the entries of this thread's features to where `firsts` says, in the order of rows; `firsts` moves on to their ends. */
function scatterEntries(firsts: usize, isAux: bool, thread: i32): void {
  const rows = int(BAND_END)
  const threads = int(THREADS)
  const size = entryBytes()
  const hasExtra = !isAux && int(KIND) >= JUMPRELU
  const to = address(isAux ? AUX_COLUMN_ENTRIES : COLUMN_ENTRIES)
  const indexes = address(isAux ? AUX_INDEX : ENTRY_INDEX)
  const values = address(isAux ? AUX_VALUE : ENTRY_VALUE)
  const gradients = address(isAux ? AUX_GRADIENT : ENTRY_GRADIENT)
  for (let r = int(BAND_FIRST); r < rows; r++) {
    const first = isAux ? r * int(AUX_K) : load<i32>(address(ROW_FIRST) + (<usize>r << 2))
    const end = first + load<i32>(address(isAux ? AUX_COUNT : ROW_COUNT) + (<usize>r << 2))
    for (let e = first; e < end; e++) {
      const at = <usize>e << 2
      const i = load<i32>(indexes + at)
      if (!mine(i, thread, threads)) continue
      const place = firsts + (<usize>i << 2)
      const slot = load<i32>(place)
      store<i32>(place, slot + 1)
      const entry = to + <usize>slot * size
      store<i32>(entry, r)
      store<f32>(entry, load<f32>(values + at), 4)
      store<f32>(entry, load<f32>(gradients + at), 8)
      if (hasExtra) store<f32>(entry, load<f32>(address(ENTRY_EXTRA) + at), 12)
    }
  }
}

@inline function rowOf(entry: usize, rows: usize, stride: usize): usize {
  return rows + <usize>load<i32>(entry) * stride
}

/** to (+)= sum over entries of the number at `factor` times their row of `rows`. */
function gather(to: usize, bytes: usize, from: usize, end: usize, rows: usize, stride: usize, factor: usize, adds: bool): void {
  const size = entryBytes()
  let e0 = from
  let isStarted = adds
  for (; e0 + 3 * size < end; e0 += 4 * size) {
    const e1 = e0 + size
    const e2 = e1 + size
    const e3 = e2 + size
    combine4(
      to, bytes, isStarted,
      rowOf(e0, rows, stride), rowOf(e1, rows, stride), rowOf(e2, rows, stride), rowOf(e3, rows, stride),
      load<f32>(e0 + factor), load<f32>(e1 + factor), load<f32>(e2 + factor), load<f32>(e3 + factor),
    )
    isStarted = true
  }
  if (!isStarted) memory.fill(to, 0, bytes)
  for (; e0 < end; e0 += size) combine1(to, bytes, rowOf(e0, rows, stride), load<f32>(e0 + factor))
}

/** The nested dictionary, counted from the smallest, that a feature is the first time part of. */
@inline function groupOf(i: i32): i32 {
  const groups = int(GROUPS)
  let group = 0
  while (group < groups - 1 && i >= int(NESTED + group)) group++
  return group
}

@inline function isFirstBand(): bool {
  return int(BAND_FIRST) == 0
}

@inline function isLastBand(): bool {
  return int(BAND_END) == int(ROWS)
}

/** Adds to a place; the first band starts it. */
@inline function addTo(place: usize, sum: f64): void {
  store<f32>(place, <f32>(isFirstBand() ? sum : <f64>load<f32>(place) + sum))
}

/**
 * Gradients of the numbers that a feature has one of: biases and the parameters of its non-linearity. `sums` is its dL/dpre in this band.
 * jumprelu counts the rows inside the kernel where a third such number would have its gradient.
 */
function smallGradients(i: i32, from: usize, end: usize, sums: f64): void {
  const kind = int(KIND)
  const at = <usize>i << 2
  let extra: f64 = 0
  let other: f64 = 0
  let bias = sums
  const theta = load<f32>(address(THETA) + at)
  const size = entryBytes()
  for (let entry = from; kind >= JUMPRELU && entry < end; entry += size) {
    const x = load<f32>(entry, 12)
    const f = load<f32>(entry, 4)
    extra += <f64>x
    if (kind == GATED) other += <f64>(x * (f - load<f32>(address(EXTRA1) + at)))
    // A feature that is listed but off lies below its threshold, inside the kernel.
    else if (f == 0 || f - theta < float(BANDWIDTH) * 0.5) other += 1
  }
  // THETA holds exp(r_mag). dL/dpi holds the gate's part and exp(r_mag) times the magnitude's; the gate's bias sees its own part only.
  if (kind == GATED) bias -= extra * <f64>theta
  addTo(gradientOf(BIAS) + at, bias)
  addTo(gradientOf(EXTRA1) + at, extra)
  addTo(gradientOf(EXTRA2) + at, other)
}

@inline function square(place: usize): f64 {
  const x = <f64>load<f32>(place)
  return x * x
}

/** After the last band: the squares of a feature's gradients but the encoder's. */
function featureSquares(i: i32): f64 {
  const at = <usize>i << 2
  if (load<i32>(address(TOUCHED) + at) == 0) return 0
  const kind = int(KIND)
  const bytes = <usize>int(D_IN) << 2
  const extra = gradientOf(EXTRA1) + at
  if (kind == JUMPRELU) {
    const factor: f32 = int(LOG_THRESHOLD) != 0 ? load<f32>(address(THETA) + at) : 1
    store<f32>(extra, (load<f32>(extra) + float(COUNT_SCALE) * load<f32>(gradientOf(EXTRA2) + at)) * factor)
  }
  let total = squares(gradientOf(DEC) + <usize>i * bytes, bytes) + square(gradientOf(BIAS) + at)
  if (kind >= JUMPRELU) total += square(extra)
  if (kind == GATED) total += square(gradientOf(EXTRA2) + at)
  return total
}

@inline function theEnd(firsts: usize, i: i32): i32 {
  return load<i32>(firsts + (<usize>i << 2))
}

/** Where a feature's entries begin, once scattering has moved the firsts of this thread's features to their ends. */
@inline function beginOf(firsts: usize, i: i32): i32 {
  return i % LANES == 0 ? load<i32>(firsts + PANEL_STARTS() + (<usize>(i / LANES) << 2)) : theEnd(firsts, i - 1)
}

/** Behind the firsts: where each panel begins. */
@inline function PANEL_STARTS(): usize {
  return <usize>(int(PANELS) * LANES + 1) << 2
}

function keepPanelStarts(firsts: usize): void {
  const panels = int(PANELS)
  for (let panel = 0; panel < panels; panel++) {
    store<i32>(firsts + PANEL_STARTS() + (<usize>panel << 2), load<i32>(firsts + (<usize>(panel * LANES) << 2)))
  }
}

/** Gradients of one feature by the rows of this band; that of its encoder row goes to `encoderRow`. */
function featureGradients(i: i32, firsts: usize, auxFirsts: usize, encoderRow: usize): void {
  const bytes = <usize>int(D_IN) << 2
  const at = <usize>i << 2
  const size = entryBytes()
  const from = address(COLUMN_ENTRIES) + <usize>beginOf(firsts, i) * size
  const end = address(COLUMN_ENTRIES) + <usize>theEnd(firsts, i) * size
  const aux = int(HAS_AUX) != 0
  const auxFrom = aux ? address(AUX_COLUMN_ENTRIES) + <usize>beginOf(auxFirsts, i) * size : 0
  const auxEnd = aux ? address(AUX_COLUMN_ENTRIES) + <usize>theEnd(auxFirsts, i) * size : 0
  const wasTouched = !isFirstBand() && load<i32>(address(TOUCHED) + at) != 0
  const isTouched = from < end || auxFrom < auxEnd
  store<i32>(address(TOUCHED) + at, wasTouched || isTouched ? 1 : 0)
  let activations: f64 = 0
  let pre: f64 = 0
  for (let entry = from; entry < end; entry += size) {
    activations += <f64>load<f32>(entry, 4)
    pre += <f64>load<f32>(entry, 8)
  }
  for (let entry = auxFrom; entry < auxEnd; entry += size) pre += <f64>load<f32>(entry, 8)
  addTo(address(FEATURE_SUMS) + at, activations)
  addTo(address(GRADIENT_SUMS) + at, pre)
  smallGradients(i, from, end, pre)
  if (!isTouched) {
    memory.fill(encoderRow, 0, bytes)
    return
  }
  const decoderRow = gradientOf(DEC) + <usize>i * bytes
  const inputs = address(INPUT)
  const residuals = address(RESIDUAL) + <usize>groupOf(i) * bytes
  gather(decoderRow, bytes, from, end, residuals, <usize>int(GROUPS) * bytes, 4, wasTouched)
  gather(encoderRow, bytes, from, end, inputs, bytes, 8, false)
  if (auxFrom < auxEnd) {
    gather(decoderRow, bytes, auxFrom, auxEnd, address(AUX_RESIDUAL), bytes, 4, true)
    gather(encoderRow, bytes, auxFrom, auxEnd, inputs, bytes, 8, true)
  }
  if (int(KIND) == STANDARD) {
    const norm = max(load<f32>(address(NORMS) + at), SMALLEST_NORM)
    combine1(decoderRow, bytes, address(DEC) + <usize>i * bytes, (float(PENALTY) * <f32>activations) / norm)
  }
}

/** Eight rows of dIn numbers into, or onto what there is in, the panel's order [dIn][8]. */
function writePanel(panel: i32, rows: usize): void {
  const dIn = int(D_IN)
  let to = gradientOf(ENC) + <usize>panel * (<usize>dIn << 5)
  const adds = !isFirstBand()
  for (let j = 0; j < dIn; j++) {
    const from = rows + (<usize>j << 2)
    for (let lane = 0; lane < LANES; lane++) {
      const x = load<f32>(from + <usize>lane * (<usize>dIn << 2))
      const place = to + (<usize>lane << 2)
      store<f32>(place, adds ? load<f32>(place) + x : x)
    }
    to += 32
  }
}

/** Gradients of this thread's panels by the rows of the band; after the last one the sum of their squares. */
export function weightGradients(thread: i32): void {
  const base = scratch(thread)
  const panels = int(PANELS)
  const dIn = int(D_IN)
  const panelBytes = <usize>dIn << 5
  const aux = int(HAS_AUX) != 0
  const firstsBytes = <usize>(panels * LANES + 1 + panels) << 2
  const auxFirsts = base + firstsBytes
  const rows = (auxFirsts + firstsBytes + 63) & ~63
  countEntries(base, false)
  keepPanelStarts(base)
  scatterEntries(base, false, thread)
  if (aux) {
    countEntries(auxFirsts, true)
    keepPanelStarts(auxFirsts)
    scatterEntries(auxFirsts, true, thread)
  }
  for (let panel = thread; panel < panels; panel += int(THREADS)) {
    for (let lane = 0; lane < LANES; lane++) {
      featureGradients(panel * LANES + lane, base, auxFirsts, rows + <usize>lane * (<usize>dIn << 2))
    }
    writePanel(panel, rows)
    if (!isLastBand()) continue
    let sum = squares(gradientOf(ENC) + <usize>panel * panelBytes, panelBytes)
    for (let lane = 0; lane < LANES; lane++) sum += featureSquares(panel * LANES + lane)
    store<f64>(address(PANEL_SQUARES) + (<usize>panel << 3), sum)
  }
}

/** b_dec: through xhat over all rows, and through the input where it is shifted; every thread takes some of the dimensions. */
export function biasGradients(thread: i32): void {
  const dIn = int(D_IN)
  const threads = int(THREADS)
  const panels = int(PANELS)
  const units = (int(ROWS) + UNIT_ROWS - 1) / UNIT_ROWS
  for (let j = (dIn * thread) / threads; j < (dIn * (thread + 1)) / threads; j++) {
    let sum: f64 = 0
    for (let unit = 0; unit < units; unit++) sum += <f64>load<f32>(address(UNIT_COLUMNS) + (<usize>(unit * dIn + j) << 2))
    if (int(SHIFTS_INPUT) != 0) {
      let through = f32x4.splat(0)
      for (let panel = 0; panel < panels; panel++) {
        const weights = address(ENC) + (<usize>(panel * dIn + j) << 5)
        const sums = address(GRADIENT_SUMS) + (<usize>panel << 5)
        through = f32x4.relaxed_madd(v128.load(weights), v128.load(sums), through)
        through = f32x4.relaxed_madd(v128.load(weights, 16), v128.load(sums, 16), through)
      }
      sum -=
        <f64>f32x4.extract_lane(through, 0) + <f64>f32x4.extract_lane(through, 1) +
        <f64>f32x4.extract_lane(through, 2) + <f64>f32x4.extract_lane(through, 3)
    }
    store<f32>(gradientOf(B_DEC) + (<usize>j << 2), <f32>sum)
  }
}
