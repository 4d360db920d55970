/** The kernels' memory: one block that all threads share, with names for what lies in it. */
import { CONTROL_BYTES, PLACES } from './assembly/places'
import { planMemory } from './layout'
import type { KernelSizes, Layout } from './layout'
import * as places from './assembly/places'

const PAGE_BYTES = 65536
/** Lists of active features, four bytes a place. */
const LISTS = [places.ENTRY_INDEX, places.ENTRY_VALUE, places.ENTRY_GRADIENT, places.ENTRY_EXTRA]

export class KernelMemory {
  readonly memory: WebAssembly.Memory
  private readonly layout: Layout
  private readonly ints: Int32Array
  private readonly floats: Float32Array

  /** @throws RangeError when the machine cannot give so much memory */
  constructor(sizes: KernelSizes) {
    this.layout = planMemory(sizes)
    const { bytes, startBytes } = this.layout
    const maximum = Math.ceil(bytes / PAGE_BYTES)
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(startBytes / PAGE_BYTES), maximum, shared: true })
    this.ints = new Int32Array(this.memory.buffer, CONTROL_BYTES, PLACES)
    this.floats = new Float32Array(this.memory.buffer, CONTROL_BYTES, PLACES)
    for (const [place, address] of this.layout.addresses) this.ints[place] = address
    this.ints[places.SCRATCH_BYTES] = this.layout.scratchBytes
  }

  /** Makes room for AuxK, once there are dead features. @throws RangeError when the machine cannot give so much memory */
  growForAux(): void {
    const missing = Math.ceil((this.layout.bytes - this.memory.buffer.byteLength) / PAGE_BYTES)
    if (missing > 0) this.memory.grow(missing)
  }

  /**
   * Lists and residuals from here on belong to the rows from `first`: the kernels count rows of the batch, and these addresses stand for
   * its first row, which may lie before the memory's first byte.
   */
  moveBand(first: number, perRow: { residual: number; gateResidual: number; entries: number }): void {
    const move = (place: number, bytes: number) => (this.ints[place] = this.address(place) - first * bytes)
    move(places.RESIDUAL, perRow.residual)
    move(places.AUX_RESIDUAL, perRow.gateResidual)
    for (const place of LISTS) move(place, 4 * perRow.entries)
  }

  setInt(place: number, value: number): void {
    this.ints[place] = value
  }

  setFloat(place: number, value: number): void {
    this.floats[place] = value
  }

  int(place: number): number {
    return this.ints[place] ?? 0
  }

  float32(place: number, length: number, from = 0): Float32Array {
    return new Float32Array(this.memory.buffer, this.address(place) + 4 * from, length)
  }

  float64(place: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.address(place), length)
  }

  int32(place: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.address(place), length)
  }

  private address(place: number): number {
    const address = this.layout.addresses.get(place)
    if (address === undefined) throw new Error(`nothing lies at place ${place}`)
    return address
  }
}
