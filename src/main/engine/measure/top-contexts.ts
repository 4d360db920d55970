/** Keeps, for every feature, the strongest contexts from distinct documents while a corpus streams by. */
import { CONTEXT_TOKENS } from '../../files/atlas-file'
import type { AtlasContexts } from '../../files/atlas-file'

/** Tokens before and after the peak that a context shows; the peak is one more. */
export const TOKENS_BEFORE = 20
export const TOKENS_AFTER = CONTEXT_TOKENS - TOKENS_BEFORE - 1

/** One activation with what surrounds it; arrays are only read while it is offered. */
export type Candidate = {
  value: number
  document: number
  /** Row of the peak in `acts`, and the rows of its window [firstRow, endRow). */
  row: number
  firstRow: number
  endRow: number
  /** Position of the window's first row in the document. */
  start: number
}

/** A block of encoded tokens: row t of `acts` [rows, dSae] belongs to ids[t]. */
export type EncodedBlock = { acts: Float32Array; ids: Int32Array; dSae: number }

type Slot = {
  max: number
  document: number
  position: number
  start: number
  ids: Int32Array
  values: Float32Array
}

/** Documents must be offered in order, so that the newest slot of a feature is the only one that may be of the same document. */
export class TopContexts {
  /** Value that an activation must exceed to be kept [dSae]; read by the caller before it builds a candidate. */
  readonly floor: Float32Array
  private readonly slots: Slot[][]

  constructor(
    dSae: number,
    private readonly perFeature: number,
  ) {
    this.floor = new Float32Array(dSae)
    this.slots = Array.from({ length: dSae }, () => [])
  }

  /** Takes a candidate in when it is among the strongest; of equal values the earlier document stays. */
  offer(feature: number, candidate: Candidate, block: EncodedBlock): void {
    const slots = this.slots[feature]
    if (!slots || candidate.value <= (this.floor[feature] ?? 0)) return
    const same = slots.findIndex((slot) => slot.document === candidate.document)
    const known = slots[same]
    if (known && known.max >= candidate.value) return
    if (known) slots.splice(same, 1)
    const place = slots.findIndex((slot) => slot.max < candidate.value)
    slots.splice(place < 0 ? slots.length : place, 0, slotOf(feature, candidate, block))
    if (slots.length > this.perFeature) slots.pop()
    if (slots.length === this.perFeature) this.floor[feature] = slots.at(-1)?.max ?? 0
  }

  /** All contexts, by feature and then from the strongest down. */
  toColumns(): AtlasContexts {
    const rows = this.slots.flatMap((slots, feature) => slots.map((slot) => ({ feature, slot })))
    const ids = new Int32Array(rows.length * CONTEXT_TOKENS).fill(-1)
    const values = new Float32Array(rows.length * CONTEXT_TOKENS)
    rows.forEach(({ slot }, row) => {
      ids.set(slot.ids, row * CONTEXT_TOKENS)
      values.set(slot.values, row * CONTEXT_TOKENS)
    })
    return {
      feature: Int32Array.from(rows, ({ feature }) => feature),
      document: Int32Array.from(rows, ({ slot }) => slot.document),
      position: Int32Array.from(rows, ({ slot }) => slot.position),
      start: Int32Array.from(rows, ({ slot }) => slot.start),
      max: Float32Array.from(rows, ({ slot }) => slot.max),
      length: Int32Array.from(rows, ({ slot }) => slot.ids.length),
      ids,
      values,
    }
  }
}

function slotOf(feature: number, candidate: Candidate, { acts, ids, dSae }: EncodedBlock): Slot {
  const from = Math.max(candidate.firstRow, candidate.row - TOKENS_BEFORE)
  const to = Math.min(candidate.endRow, candidate.row + TOKENS_AFTER + 1)
  const values = new Float32Array(to - from)
  for (let row = from; row < to; row++) values[row - from] = acts[row * dSae + feature] ?? 0
  return {
    max: candidate.value,
    document: candidate.document,
    position: candidate.start + candidate.row - candidate.firstRow,
    start: candidate.start + from - candidate.firstRow,
    ids: ids.slice(from, to),
    values,
  }
}
