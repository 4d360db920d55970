/** Fixed room for contexts: where each lies in its document and how active the feature is on its tokens, in half precision. */
import { CONTEXT_TOKENS } from '../../files/atlas-file'
import { LARGEST_HALF, narrowHalf } from '../../files/element-types'

/** Tokens before and after the marked one that a context shows; the marked one is one more. */
export const TOKENS_BEFORE = 20
export const TOKENS_AFTER = CONTEXT_TOKENS - TOKENS_BEFORE - 1

/** One activation in a window whose codes are loaded: the marked token of a context. */
export type Firing = {
  value: number
  document: number
  /** Position of the window's first token in the document, and the window's tokens. */
  windowStart: number
  windowTokens: number
  /** Token of the window that is marked. */
  row: number
}

/** The feature's activations in that window: `values[k]` at token `rows[k]`, k from `begin` to before `end`, by token. */
export type Activity = { rows: Uint32Array; values: Float32Array; begin: number; end: number }

const bits = new DataView(new ArrayBuffer(4))

/** Half-precision pattern of a value; larger ones become the largest that there is. */
export function halfOf(value: number): number {
  bits.setFloat32(0, Math.min(value, LARGEST_HALF))
  return narrowHalf(bits.getUint32(0))
}

export class ContextSlots {
  readonly values: Float32Array<ArrayBuffer>
  readonly documents: Int32Array<ArrayBuffer>
  /** Position of the marked token in its document. */
  readonly positions: Int32Array<ArrayBuffer>
  /** Shown tokens before the marked one, and in all. */
  readonly before: Uint8Array<ArrayBuffer>
  readonly lengths: Uint8Array<ArrayBuffer>
  /** [slots, CONTEXT_TOKENS] half-precision patterns. */
  readonly halves: Uint16Array<ArrayBuffer>

  constructor(slots: number) {
    this.values = new Float32Array(slots)
    this.documents = new Int32Array(slots)
    this.positions = new Int32Array(slots)
    this.before = new Uint8Array(slots)
    this.lengths = new Uint8Array(slots)
    this.halves = new Uint16Array(slots * CONTEXT_TOKENS)
  }

  /** Puts a firing with what surrounds it, within its window, into a slot. */
  write(slot: number, { value, document, windowStart, windowTokens, row }: Firing, activity: Activity): void {
    const from = Math.max(0, row - TOKENS_BEFORE)
    const to = Math.min(windowTokens, row + TOKENS_AFTER + 1)
    this.values[slot] = value
    this.documents[slot] = document
    this.positions[slot] = windowStart + row
    this.before[slot] = row - from
    this.lengths[slot] = to - from
    const at = slot * CONTEXT_TOKENS
    this.halves.fill(0, at, at + CONTEXT_TOKENS)
    for (let k = activity.begin; k < activity.end; k++) {
      const token = activity.rows[k] ?? 0
      if (token >= from && token < to) this.halves[at + token - from] = halfOf(activity.values[k] ?? 0)
    }
  }

  /** Copies a slot of `source`, which may be this. */
  copy(slot: number, source: ContextSlots, from: number): void {
    this.values[slot] = source.values[from] ?? 0
    this.documents[slot] = source.documents[from] ?? 0
    this.positions[slot] = source.positions[from] ?? 0
    this.before[slot] = source.before[from] ?? 0
    this.lengths[slot] = source.lengths[from] ?? 0
    const at = from * CONTEXT_TOKENS
    this.halves.set(source.halves.subarray(at, at + CONTEXT_TOKENS), slot * CONTEXT_TOKENS)
  }
}
