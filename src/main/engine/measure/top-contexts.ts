/** Keeps, for every feature, the strongest contexts from distinct documents, in parts that merge exactly. */
import { ContextSlots } from './context-slots'
import type { Activity, Firing } from './context-slots'

/** Of a document only its strongest firing counts, and of equal ones the first; of documents the strongest, and of equal ones the first. */
export class TopContexts {
  readonly slots: ContextSlots
  /** Slots of each feature that are taken [dSae]; they are the first ones, in no order. */
  readonly used: Uint8Array<ArrayBuffer>
  /** Value below which nothing is taken in [dSae]; read by the caller before it builds a firing. */
  readonly floor: Float32Array<ArrayBuffer>

  constructor(
    dSae: number,
    private readonly perFeature: number,
  ) {
    this.slots = new ContextSlots(dSae * perFeature)
    this.used = new Uint8Array(dSae)
    this.floor = new Float32Array(dSae)
  }

  /** Offers the strongest firing of a window, the first among equals. Windows of a document come in order. */
  offer(feature: number, firing: Firing, activity: Activity): void {
    const slot = this.place(feature, { ...firing, position: firing.windowStart + firing.row })
    if (slot >= 0) this.slots.write(slot, firing, activity)
  }

  /** Takes in one feature of another part. */
  mergeFeature(other: TopContexts, feature: number): void {
    const first = feature * this.perFeature
    for (let from = first; from < first + (other.used[feature] ?? 0); from++) {
      const slot = this.place(feature, other.at(from))
      if (slot >= 0) this.slots.copy(slot, other.slots, from)
    }
  }

  /** Slots of a feature from the strongest down. */
  sorted(feature: number): number[] {
    const first = feature * this.perFeature
    const slots = Array.from({ length: this.used[feature] ?? 0 }, (_, i) => first + i)
    return slots.sort((a, b) => (isBetter(this.at(a), this.at(b)) ? -1 : 1))
  }

  /** The slot that a firing shall go into, or -1; what was in it is to be overwritten. */
  private place(feature: number, firing: Place): number {
    if (firing.value < (this.floor[feature] ?? 0)) return -1
    const first = feature * this.perFeature
    const end = first + (this.used[feature] ?? 0)
    let worst = first
    for (let slot = first; slot < end; slot++) {
      if (this.slots.documents[slot] === firing.document) return this.enter(feature, firing, slot)
      if (isBetter(this.at(worst), this.at(slot))) worst = slot
    }
    if (end - first === this.perFeature) return this.enter(feature, firing, worst)
    this.used[feature] = end - first + 1
    return this.take(feature, firing, end)
  }

  private enter(feature: number, firing: Place, slot: number): number {
    return isBetter(firing, this.at(slot)) ? this.take(feature, firing, slot) : -1
  }

  private take(feature: number, { value, document, position }: Place, slot: number): number {
    this.slots.values[slot] = value
    this.slots.documents[slot] = document
    this.slots.positions[slot] = position
    if (this.used[feature] === this.perFeature) {
      const first = feature * this.perFeature
      this.floor[feature] = this.slots.values.subarray(first, first + this.perFeature).reduce((a, b) => Math.min(a, b))
    }
    return slot
  }

  private at(slot: number): Place {
    const { values, documents, positions } = this.slots
    return { value: values[slot] ?? 0, document: documents[slot] ?? 0, position: positions[slot] ?? 0 }
  }
}

type Place = { value: number; document: number; position: number }

function isBetter(a: Place, b: Place): boolean {
  if (a.value !== b.value) return a.value > b.value
  return a.document !== b.document ? a.document < b.document : a.position < b.position
}
