/** Contexts as the columns of an atlas file: of every feature the strongest first, then those of its intervals from the top down. */
import { CONTEXT_TOKENS, INTERVALS, TOP_INTERVAL } from '../../files/atlas-file'
import type { AtlasContexts } from '../../files/atlas-file'
import type { ContextSlots } from './context-slots'
import type { RandomContexts } from './random-contexts'
import type { TopContexts } from './top-contexts'

type Row = { feature: number; interval: number; slots: ContextSlots; slot: number }

type Kept = { top: TopContexts; random: RandomContexts; dSae: number }

function* rowsOf({ top, random, dSae }: Kept): Generator<Row> {
  for (let feature = 0; feature < dSae; feature++) {
    for (const slot of top.sorted(feature)) yield { feature, interval: TOP_INTERVAL, slots: top.slots, slot }
    for (let interval = INTERVALS - 1; interval >= 0; interval--) {
      for (const slot of random.sample.slots(feature * INTERVALS + interval)) {
        yield { feature, interval, slots: random.slots, slot }
      }
    }
  }
}

/** Tokens of a slot on which the feature is active; a value too small for half precision is none. */
function activeTokens({ slots: { halves, lengths }, slot }: Row): number {
  let count = 0
  const at = slot * CONTEXT_TOKENS
  for (let t = 0; t < (lengths[slot] ?? 0); t++) if (halves[at + t] !== 0) count += 1
  return count
}

export function columnsOf(kept: Kept): AtlasContexts {
  let [rows, pairs] = [0, 0]
  for (const row of rowsOf(kept)) {
    rows += 1
    pairs += activeTokens(row)
  }
  const columns: AtlasContexts = {
    ...{ feature: new Int32Array(rows), interval: new Uint8Array(rows), document: new Int32Array(rows) },
    ...{ start: new Int32Array(rows), length: new Uint8Array(rows), marked: new Uint8Array(rows) },
    ...{ value: new Float32Array(rows), pairs: new Int32Array(rows + 1) },
    ...{ pairToken: new Uint8Array(pairs), pairValue: new Uint16Array(pairs) },
  }
  let [row, pair] = [0, 0]
  for (const found of rowsOf(kept)) {
    const { feature, interval, slots, slot } = found
    columns.feature[row] = feature
    columns.interval[row] = interval
    columns.document[row] = slots.documents[slot] ?? 0
    columns.start[row] = (slots.positions[slot] ?? 0) - (slots.before[slot] ?? 0)
    columns.length[row] = slots.lengths[slot] ?? 0
    columns.marked[row] = slots.before[slot] ?? 0
    columns.value[row] = slots.values[slot] ?? 0
    for (let t = 0; t < (slots.lengths[slot] ?? 0); t++) {
      const half = slots.halves[slot * CONTEXT_TOKENS + t] ?? 0
      if (half === 0) continue
      columns.pairToken[pair] = t
      columns.pairValue[pair++] = half
    }
    columns.pairs[++row] = pair
  }
  return columns
}
