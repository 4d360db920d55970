/** Weights between the shapes that everyone uses and those of the kernels: features in panels of eight, rows padded to four. */
import { LANES } from './assembly/places'
import { paddedIn } from './layout'

/** [dIn, dSae] into panels [dSae / 8][dIn][8]; what is not there stays zero. */
export function packPanels(to: Float32Array, from: Float32Array, { dIn, dSae }: { dIn: number; dSae: number }): void {
  const padded = paddedIn(dIn)
  for (let j = 0; j < dIn; j++) {
    for (let i = 0; i < dSae; i++) {
      to[(Math.floor(i / LANES) * padded + j) * LANES + (i % LANES)] = from[j * dSae + i] ?? 0
    }
  }
}

/** Panels back to [dIn, dSae]. */
export function unpackPanels(from: Float32Array, { dIn, dSae }: { dIn: number; dSae: number }): Float32Array {
  const padded = paddedIn(dIn)
  const to = new Float32Array(dIn * dSae)
  for (let j = 0; j < dIn; j++) {
    for (let i = 0; i < dSae; i++) {
      to[j * dSae + i] = from[(Math.floor(i / LANES) * padded + j) * LANES + (i % LANES)] ?? 0
    }
  }
  return to
}

/** Rows of `width` numbers into rows padded to a multiple of four. */
export function packRows(to: Float32Array, from: Float32Array, width: number): void {
  const padded = paddedIn(width)
  if (padded === width) {
    to.set(from)
    return
  }
  for (let row = 0; row * width < from.length; row++) {
    to.set(from.subarray(row * width, (row + 1) * width), row * padded)
  }
}

/** Padded rows back. */
export function unpackRows(from: Float32Array, rows: number, width: number): Float32Array {
  const padded = paddedIn(width)
  const to = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) to.set(from.subarray(row * padded, row * padded + width), row * width)
  return to
}
