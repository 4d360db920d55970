/** The one dense part of a sparse step: inputs times encoder, by the kernels or by TensorFlow, down to lists of active features. */
import { tf } from '../tf'
import * as places from './assembly/places'
import type { KernelMemory } from './kernel-memory'
import { paddedIn, panelsOf, scanRowsOf, unitsOf } from './layout'
import type { KernelSizes } from './layout'
import type { KernelPool } from './pool'

/** Of the last batch's cut: candidates below it are not written down at first. Only speed depends on it. */
const START_OF_CUT = 0.8
/** A cut that was found among pruned candidates is looked for once more from just below it. */
const JUST_BELOW = 1 - 1e-6
/** A unit of rows may fill so much of its list; beyond that the outcome could depend on how the list was cut. */
const FULL_SHARE = 0.75

export class Encoder {
  /** Smallest activation that the last batch-wise selection kept; 0 when it is not known. */
  private lastCut = 0
  /** W_enc [dIn, dSae], while TensorFlow multiplies with it. */
  private wEnc: tf.Tensor2D | null = null
  private readonly scanRows: number

  constructor(
    private readonly memory: KernelMemory,
    private readonly pool: KernelPool,
    private readonly sizes: KernelSizes,
  ) {
    this.scanRows = scanRowsOf(sizes.dSae)
  }

  /** Does `work` with the encoder where TensorFlow needs it, once for everything that is encoded meanwhile. */
  prepared<T>(work: () => T): T {
    if (!this.sizes.isNative) return work()
    const { dIn, dSae } = this.sizes
    this.pool.run(places.UNPACK)
    // A copy: tfjs must not hold memory that changes under it.
    this.wEnc = tf.tensor2d(this.memory.float32(places.UNPACKED, dIn * dSae).slice(), [dIn, dSae])
    try {
      return work()
    } finally {
      this.wEnc.dispose()
      this.wEnc = null
    }
  }

  /** Encodes, decodes and compares the band, a unit of rows at a time. @returns false when lists were too short */
  encodeAndFinish(): boolean {
    return this.encode(places.ENCODE_FINISH, places.SCAN_FINISH)
  }

  /**
   * Finds the cut that leaves `wanted` activations in the whole batch, then decodes and compares. Starts from half the last cut; when
   * that, or a unit's limit, has hidden something that counts, encodes once more, so that the outcome depends on parameters and batch
   * alone.
   * @returns false when a unit has too many activations above the cut
   */
  selectAndFinish(wanted: number): boolean {
    const cut = this.findCut(wanted)
    if (cut === null) return false
    this.memory.setFloat(places.CUT, cut)
    this.lastCut = cut
    this.runUnits(places.FINISH)
    return true
  }

  private findCut(wanted: number): number | null {
    const { memory } = this
    const { kernels } = this.pool
    memory.setInt(places.WANTED, wanted)
    let tau = START_OF_CUT * this.lastCut
    let isAgain = false
    for (;;) {
      memory.setFloat(places.TAU, tau)
      this.encode(places.ENCODE, places.SCAN)
      const hidden = kernels.largestUnitTau()
      if (kernels.listed() < wanted && tau > 0 && hidden === 0) {
        tau = 0
        continue
      }
      const cut = kernels.cutBatch()
      if (hidden === 0 || cut > hidden) {
        // Decided by what stays, not by how it was found.
        const most = memory.int(places.UNIT_ENTRIES) * FULL_SHARE
        return kernels.fullestUnit(cut) >= most ? null : cut
      }
      if (cut === 0 || isAgain) return null
      isAgain = true
      tau = cut * JUST_BELOW
    }
  }

  /** Units of the band. */
  private runUnits(command: number): void {
    this.memory.setInt(places.FIRST_UNIT, this.memory.int(places.BAND_FIRST) / places.UNIT_ROWS)
    this.memory.setInt(places.END_UNIT, unitsOf(this.memory.int(places.BAND_END)))
    this.pool.run(command)
  }

  /** @returns false when lists were too short */
  private encode(own: number, scanned: number): boolean {
    this.memory.setInt(places.FAILED, 0)
    if (this.wEnc) this.encodeNative(scanned, this.wEnc)
    else this.runUnits(own)
    return this.memory.int(places.FAILED) === 0
  }

  /**
   * TensorFlow multiplies some rows on all cores, then all threads look through them. Always the same number of rows at a time, because
   * it rounds differently with other numbers.
   */
  private encodeNative(command: number, wEnc: tf.Tensor2D): void {
    const { memory, pool, scanRows } = this
    const end = memory.int(places.BAND_END)
    const block = scanRows * panelsOf(this.sizes.dSae) * places.LANES
    for (let row = memory.int(places.BAND_FIRST); row < end; row += scanRows) {
      this.placeRows(memory.float32(places.SCANNED, block), this.multiply(row, wEnc))
      memory.setInt(places.SCAN_ROW, row)
      memory.setInt(places.FIRST_UNIT, row / places.UNIT_ROWS)
      memory.setInt(places.END_UNIT, unitsOf(Math.min(end, row + scanRows)))
      pool.run(command)
    }
  }

  /** Products of some rows with the encoder [rows, dSae]; rows beyond the batch are whatever was there. */
  private multiply(row: number, wEnc: tf.Tensor2D): Float32Array {
    const { dIn, batch } = this.sizes
    const padded = paddedIn(dIn)
    const count = Math.min(this.scanRows, unitsOf(batch) * places.UNIT_ROWS - row)
    const x = tf.tensor2d(this.memory.float32(places.INPUT, count * padded, row * padded).slice(), [count, padded])
    const products = tf.tidy(() => tf.matMul(padded === dIn ? x : tf.slice(x, [0, 0], [count, dIn]), wEnc))
    const data = products.dataSync<'float32'>()
    tf.dispose([x, products])
    return data
  }

  /** Rows of dSae numbers into rows of whole panels. */
  private placeRows(to: Float32Array, from: Float32Array): void {
    const { dSae } = this.sizes
    const width = panelsOf(dSae) * places.LANES
    if (width === dSae) {
      to.set(from)
      return
    }
    for (let row = 0; row * dSae < from.length; row++) {
      to.set(from.subarray(row * dSae, (row + 1) * dSae), row * width)
    }
  }
}
