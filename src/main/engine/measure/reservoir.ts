/** Random samples of tokens in fixed room: of each group the `size` tokens with the smallest keys, in whatever order they come. */
import { mix32 } from '../train/random'

/** A token of the corpus and its key, a hash that decides whether it is sampled. */
export type TokenKey = { key: number; document: number; position: number }

/** 32 random bits for a token; the same for every feature, so that one hash per token is enough. */
export const keyOf = (seed: number, document: number, position: number): number =>
  mix32(mix32(mix32(seed) ^ document) ^ position)

/**
 * The tokens with the smallest keys are a uniform sample without replacement, and the smallest of a union are among the smallest of
 * its parts: so samples of parts merge to that of the whole. Equal keys are told apart by document and position.
 */
export class Reservoir {
  readonly keys: Uint32Array<ArrayBuffer>
  readonly documents: Int32Array<ArrayBuffer>
  readonly positions: Int32Array<ArrayBuffer>
  /** Slots of each group that hold a token [groups]; they are the first ones. */
  readonly used: Uint8Array<ArrayBuffer>
  /** Key beyond which a token cannot enter a group [groups]; cheap to look at before {@link place}. */
  readonly limits: Uint32Array<ArrayBuffer>

  constructor(
    groups: number,
    readonly size: number,
  ) {
    this.keys = new Uint32Array(groups * size)
    this.documents = new Int32Array(groups * size)
    this.positions = new Int32Array(groups * size)
    this.used = new Uint8Array(groups)
    this.limits = new Uint32Array(groups).fill(0xffffffff)
  }

  /** Takes a token in when it is among the smallest. @returns its slot, or -1; what the slot held before is gone */
  place(group: number, token: TokenKey): number {
    if (token.key > (this.limits[group] ?? 0)) return -1
    const used = this.used[group] ?? 0
    let slot = group * this.size + used
    if (used < this.size) this.used[group] = used + 1
    else {
      slot = this.last(group)
      if (!this.isBefore(token, slot)) return -1
    }
    this.keys[slot] = token.key
    this.documents[slot] = token.document
    this.positions[slot] = token.position
    if (used + 1 >= this.size) this.limits[group] = this.keys[this.last(group)] ?? 0
    return slot
  }

  empty(group: number): void {
    this.used[group] = 0
    this.limits[group] = 0xffffffff
  }

  tokenAt(slot: number): TokenKey {
    return { key: this.keys[slot] ?? 0, document: this.documents[slot] ?? 0, position: this.positions[slot] ?? 0 }
  }

  /** Slots of a group from the smallest key up. */
  slots(group: number): number[] {
    const first = group * this.size
    const slots = Array.from({ length: this.used[group] ?? 0 }, (_, i) => first + i)
    return slots.sort((a, b) => (this.isBefore(this.tokenAt(a), b) ? -1 : 1))
  }

  private last(group: number): number {
    const first = group * this.size
    let last = first
    for (let slot = first + 1; slot < first + (this.used[group] ?? 0); slot++) {
      if (this.isBefore(this.tokenAt(last), slot)) last = slot
    }
    return last
  }

  /** Whether a token comes before that of a slot. */
  private isBefore({ key, document, position }: TokenKey, slot: number): boolean {
    if (key !== this.keys[slot]) return key < (this.keys[slot] ?? 0)
    if (document !== this.documents[slot]) return document < (this.documents[slot] ?? 0)
    return position < (this.positions[slot] ?? 0)
  }
}
