/** Keeps random contexts from every interval of every feature's activations, in parts that merge exactly. */
import { INTERVALS } from '../../files/atlas-file'
import { ContextSlots } from './context-slots'
import type { Activity, Firing } from './context-slots'
import { Reservoir } from './reservoir'

export class RandomContexts {
  readonly slots: ContextSlots
  /** Groups are [dSae, INTERVALS]. */
  readonly sample: Reservoir

  constructor(dSae: number, perInterval: number) {
    this.slots = new ContextSlots(dSae * INTERVALS * perInterval)
    this.sample = new Reservoir(dSae * INTERVALS, perInterval)
  }

  /** Offers one firing that lies in an interval of its feature. */
  offer(group: number, key: number, firing: Firing, activity: Activity): void {
    const { document, windowStart, row } = firing
    const slot = this.sample.place(group, { key, document, position: windowStart + row })
    if (slot >= 0) this.slots.write(slot, firing, activity)
  }

  /** Follows a doubled range: two intervals become one, in the lower half. */
  halve(feature: number): void {
    const first = feature * INTERVALS
    for (let interval = 0; interval < INTERVALS; interval++) {
      const group = first + interval
      const into = first + Math.floor(interval / 2)
      if (into !== group) {
        if (interval % 2 === 0) this.sample.empty(into)
        this.move(into, this, group)
      }
    }
    for (let interval = INTERVALS / 2; interval < INTERVALS; interval++) this.sample.empty(first + interval)
  }

  /** Takes in one feature of another part; both must have the same range. */
  mergeFeature(other: RandomContexts, feature: number): void {
    for (let group = feature * INTERVALS; group < (feature + 1) * INTERVALS; group++) this.move(group, other, group)
  }

  private move(group: number, from: RandomContexts, fromGroup: number): void {
    for (const slot of from.sample.slots(fromGroup)) {
      const into = this.sample.place(group, from.sample.tokenAt(slot))
      if (into >= 0) this.slots.copy(into, from.slots, slot)
    }
  }
}
