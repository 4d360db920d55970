/** From lists of active features to errors and to the gradient of the loss by each feature's value. Works on one unit of rows. */
import {
  address, AUX_COUNT, AUX_GRADIENT, AUX_INDEX, AUX_K, AUX_RESIDUAL, AUX_SCALE, AUX_VALUE, B_DEC, BANDWIDTH, BIAS, CUT, D_IN, DEC,
  ENTRY_EXTRA, ENTRY_GRADIENT, ENTRY_INDEX, ENTRY_VALUE, EXTRA1, FIGURES, float, GATED, GROUPS, HAS_AUX, INPUT, int, JUMPRELU,
  KIND, LARGEST, NESTED, NORMS, OUT_SCALE, PENALTY, RESIDUAL, ROW_COUNT, ROW_FIGURES, ROW_FIRST, SHIFTS_INPUT, STANDARD, scratch, THETA,
  UNIT_COLUMNS, UNIT_ROWS, unitRows,
} from './control'
import { combine1, combine4, dot1, dot4, negate, scale, squares, subtract } from './vectors'

@inline function feature(index: usize, e: i32): i32 {
  return load<i32>(index + (<usize>e << 2))
}

@inline function value(values: usize, e: i32): f32 {
  return load<f32>(values + (<usize>e << 2))
}

@inline function put(values: usize, e: i32, x: f32): void {
  store<f32>(values + (<usize>e << 2), x)
}

@inline function featureNumber(array: i32, i: i32): f32 {
  return load<f32>(address(array) + (<usize>i << 2))
}

@inline function row(i: i32, bytes: usize): usize {
  return address(DEC) + <usize>i * bytes
}

/** to += sum of the entries from .. end times their decoder rows */
function addRows(to: usize, bytes: usize, index: usize, values: usize, from: i32, end: i32): void {
  let e = from
  for (; e + 3 < end; e += 4) {
    combine4(
      to, bytes, true,
      row(feature(index, e), bytes), row(feature(index, e + 1), bytes), row(feature(index, e + 2), bytes), row(feature(index, e + 3), bytes),
      value(values, e), value(values, e + 1), value(values, e + 2), value(values, e + 3),
    )
  }
  for (; e < end; e++) combine1(to, bytes, row(feature(index, e), bytes), value(values, e))
}

/** Products of x with the decoder rows of the entries from .. end. */
function dotRows(to: usize, x: usize, bytes: usize, index: usize, from: i32, end: i32): void {
  let e = from
  for (; e + 3 < end; e += 4) {
    dot4(
      to + (<usize>e << 2), x, bytes,
      row(feature(index, e), bytes), row(feature(index, e + 1), bytes), row(feature(index, e + 2), bytes), row(feature(index, e + 3), bytes),
    )
  }
  for (; e < end; e++) put(to, e, dot1(x, bytes, row(feature(index, e), bytes)))
}

/** Leaves the entries that are not below the cut of the whole batch; returns how many. Those struck out hold a negative value. */
function cutEntries(index: usize, values: usize, count: i32, cut: f32): i32 {
  let kept = 0
  for (let e = 0; e < count; e++) {
    const x = value(values, e)
    if (x < cut) continue
    store<i32>(index + (<usize>kept << 2), feature(index, e))
    put(values, kept, x)
    kept++
  }
  return kept
}

/** f of every entry into `to`; `values` are values before the non-linearity (gated: of the gate). */
function activate(kind: i32, index: usize, values: usize, to: usize, count: i32): void {
  for (let e = 0; e < count; e++) {
    const x = value(values, e)
    let f = x
    if (kind == JUMPRELU) f = x > featureNumber(THETA, feature(index, e)) ? x : 0
    else if (kind == GATED) {
      const i = feature(index, e)
      f = max((x - featureNumber(BIAS, i)) * featureNumber(THETA, i) + featureNumber(EXTRA1, i), 0)
    }
    put(to, e, f)
  }
}

/** First entry of a feature that is not in the nested dictionary of that width; entries are in the order of their features. */
@inline function endOf(index: usize, from: i32, count: i32, width: i32): i32 {
  let e = from
  while (e < count && feature(index, e) < width) e++
  return e
}

/** Starts a reconstruction error: b_dec - x, or 0 - (x - b_dec). */
@inline function startError(to: usize, bytes: usize, x: usize): void {
  if (int(SHIFTS_INPUT) != 0) negate(to, bytes, x)
  else subtract(to, bytes, address(B_DEC), x)
}

/** Errors of all nested dictionaries into `to` [groups][dIn]; returns their mean squared length. */
function errors(to: usize, bytes: usize, x: usize, index: usize, values: usize, count: i32): f64 {
  const groups = int(GROUPS)
  let from = 0
  let sum: f64 = 0
  for (let g = 0; g < groups; g++) {
    const at = to + <usize>g * bytes
    if (g == 0) startError(at, bytes, x)
    else memory.copy(at, at - bytes, bytes)
    const end = g == groups - 1 ? count : endOf(index, from, count, int(NESTED + g))
    addRows(at, bytes, index, values, from, end)
    sum += squares(at, bytes)
    from = end
  }
  return sum / <f64>groups
}

/** Gradient of the loss by each entry's value through the reconstructions; `to` [groups][dIn] becomes the sums of later groups. */
function backwards(to: usize, bytes: usize, index: usize, gradients: usize, count: i32): void {
  const groups = int(GROUPS)
  const factor = float(OUT_SCALE) / <f32>groups
  for (let g = groups - 1; g >= 0; g--) {
    const at = to + <usize>g * bytes
    scale(at, bytes, factor)
    if (g < groups - 1) combine1(at, bytes, at + bytes, 1)
  }
  let from = 0
  for (let g = 0; g < groups; g++) {
    const end = g == groups - 1 ? count : endOf(index, from, count, int(NESTED + g))
    dotRows(gradients, to + <usize>g * bytes, bytes, index, from, end)
    from = end
  }
}

/** Dead features reconstruct the error that is left; `full` is that error, xhat - x. Returns the squared length of what they miss. */
function auxiliary(place: i32, bytes: usize, full: usize): f64 {
  const count = load<i32>(address(AUX_COUNT) + (<usize>place << 2))
  const first = (<usize>place * <usize>int(AUX_K)) << 2
  const index = address(AUX_INDEX) + first
  const to = address(AUX_RESIDUAL) + <usize>place * bytes
  memory.copy(to, full, bytes)
  addRows(to, bytes, index, address(AUX_VALUE) + first, 0, count)
  const error = squares(to, bytes)
  scale(to, bytes, float(AUX_SCALE))
  dotRows(address(AUX_GRADIENT) + first, to, bytes, index, 0, count)
  return error
}

/** jumprelu: the straight-through gradient of the threshold goes into `extras`, that of the value stays where the feature is on. */
function jumpGradients(index: usize, pre: usize, gradients: usize, extras: usize, count: i32): void {
  const bandwidth = float(BANDWIDTH)
  for (let e = 0; e < count; e++) {
    const theta = featureNumber(THETA, feature(index, e))
    const x = value(pre, e)
    const g = value(gradients, e)
    const isInside = abs(x - theta) < bandwidth * 0.5
    put(extras, e, isInside ? -(theta / bandwidth) * g : 0)
    if (!(x > theta)) put(gradients, e, 0)
  }
}

/**
 * gated: the gate alone reconstructs as well, through a decoder that is not trained by it. `extras` gets the gradient of the
 * magnitude's bias, `gradients` that of pi. Returns the squared length of the gate's error.
 */
function gateGradients(
  place: i32, bytes: usize, index: usize, gates: usize, acts: usize, gradients: usize, extras: usize, count: i32, spare: usize,
): f64 {
  const to = address(AUX_RESIDUAL) + <usize>place * bytes
  startError(to, bytes, address(INPUT) + <usize>place * bytes)
  addRows(to, bytes, index, gates, 0, count)
  const error = squares(to, bytes)
  scale(to, bytes, float(OUT_SCALE))
  dotRows(spare, to, bytes, index, 0, count)
  const penalty = float(PENALTY)
  for (let e = 0; e < count; e++) {
    const magnitude: f32 = value(acts, e) > 0 ? value(gradients, e) : 0
    put(extras, e, magnitude)
    put(gradients, e, value(spare, e) + penalty + magnitude * featureNumber(THETA, feature(index, e)))
  }
  return error
}

/** Writes down the figures of a row, see FIGURES. `acts` are activations; `penalty` is what the sparsity term sums. */
function writeFigures(place: i32, kind: i32, index: usize, acts: usize, gates: usize, count: i32, error: f64, auxError: f64): void {
  let l1: f64 = 0
  let active: f64 = 0
  let penalty: f64 = 0
  let smallest: f32 = f32.MAX_VALUE
  for (let e = 0; e < count; e++) {
    const f = value(acts, e)
    if (kind == GATED) penalty += <f64>value(gates, e)
    if (!(f > 0)) continue
    l1 += <f64>(f * featureNumber(NORMS, feature(index, e)))
    active += 1
    smallest = min(smallest, f)
  }
  const to = address(ROW_FIGURES) + <usize>(place * FIGURES) * 8
  store<f64>(to, error)
  store<f64>(to, l1, 8)
  store<f64>(to, auxError, 16)
  store<f64>(to, active > 0 ? <f64>smallest : Infinity, 24)
  store<f64>(to, active, 32)
  store<f64>(to, kind == GATED ? penalty : kind == JUMPRELU ? active : l1, 40)
}

function finishRow(place: i32, bytes: usize, spare: usize): void {
  const kind = int(KIND)
  const at = <usize>place << 2
  const first = <usize>load<i32>(address(ROW_FIRST) + at) << 2
  const index = address(ENTRY_INDEX) + first
  const values = address(ENTRY_VALUE) + first
  const gradients = address(ENTRY_GRADIENT) + first
  const extras = address(ENTRY_EXTRA) + first
  let count = load<i32>(address(ROW_COUNT) + at)
  if (kind == LARGEST) {
    count = cutEntries(index, values, count, float(CUT))
    store<i32>(address(ROW_COUNT) + at, count)
  }
  // Values before the non-linearity are still needed after f has taken their place.
  const pre = spare
  const dots = spare + (<usize>count << 2)
  memory.copy(pre, values, <usize>count << 2)
  activate(kind, index, pre, values, count)
  const x = address(INPUT) + <usize>place * bytes
  const groups = int(GROUPS)
  const residual = address(RESIDUAL) + <usize>(place * groups) * bytes
  const error = errors(residual, bytes, x, index, values, count)
  let auxError: f64 = 0
  if (int(HAS_AUX) != 0) auxError = auxiliary(place, bytes, residual + <usize>(groups - 1) * bytes)
  backwards(residual, bytes, index, gradients, count)
  if (kind == STANDARD) {
    const penalty = float(PENALTY)
    for (let e = 0; e < count; e++) put(gradients, e, value(gradients, e) + penalty * featureNumber(NORMS, feature(index, e)))
  } else if (kind == JUMPRELU) jumpGradients(index, pre, gradients, extras, count)
  else if (kind == GATED) auxError = gateGradients(place, bytes, index, pre, values, gradients, extras, count, dots)
  writeFigures(place, kind, index, values, pre, count, error, auxError)
}

/** Finishes the rows of a unit, and sums the gradient by xhat over them for b_dec. */
export function finishUnit(unit: i32, thread: i32): void {
  const bytes = <usize>int(D_IN) << 2
  const rows = unitRows(unit)
  const groups = int(GROUPS)
  const columns = address(UNIT_COLUMNS) + <usize>unit * bytes
  memory.fill(columns, 0, bytes)
  for (let r = 0; r < rows; r++) {
    const place = unit * UNIT_ROWS + r
    finishRow(place, bytes, scratch(thread))
    combine1(columns, bytes, address(RESIDUAL) + <usize>(place * groups) * bytes, 1)
  }
}
