/** Reads the control block. */
import { CONTROL_BYTES, NEXT, ROWS, SCRATCH, SCRATCH_BYTES, UNIT_ROWS } from './places'

export * from './places'

/** Address of the block. */
export const CONTROL: usize = CONTROL_BYTES

@inline export function int(at: i32): i32 {
  return load<i32>(CONTROL + (<usize>at << 2))
}

@inline export function address(at: i32): usize {
  return load<usize>(CONTROL + (<usize>at << 2))
}

@inline export function float(at: i32): f32 {
  return load<f32>(CONTROL + (<usize>at << 2))
}

/** The next piece of work that no thread has taken. */
@inline export function takeNext(): i32 {
  return atomic.add<i32>(CONTROL + (NEXT << 2), 1)
}

@inline export function unitRows(unit: i32): i32 {
  return min(UNIT_ROWS, int(ROWS) - unit * UNIT_ROWS)
}

/** This thread's private memory. */
@inline export function scratch(thread: i32): usize {
  return address(SCRATCH) + <usize>thread * address(SCRATCH_BYTES)
}
