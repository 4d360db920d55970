/** Which features of a read text are listed, and how active one of them is on each piece of it. */
import type { TextFeature } from '../../../shared/contract/text'
import { folded } from '../../../shared/folding'
import { rankOf } from '../../../shared/text-rank'
import type { Answer } from './text.store'

/** A feature of the list with its activation on the chosen piece, or its largest in the text. */
export type ActiveFeature = TextFeature & { value: number }

type Active = Pick<Answer, 'starts' | 'active' | 'values' | 'features'>

/** Activation of a feature, by its place in `features`, on every span. */
export function valuesOf({ starts, active, values }: Active, place: number): number[] {
  return Array.from({ length: starts.length - 1 }, (_, span) => {
    const at = active.subarray(starts[span], starts[span + 1]).indexOf(place)
    return at < 0 ? 0 : (values[(starts[span] ?? 0) + at] ?? 0)
  })
}

/**
 * Features that are active on one span, or anywhere in the text; strong and rare ones first.
 * @param span null for the whole text
 * @param part of a label, a top token or a number; empty for all
 */
export function listFeatures(answer: Active, span: number | null, part: string): ActiveFeature[] {
  const all = span === null ? answer.features.map((one) => ({ ...one, value: one.largest })) : onSpan(answer, span)
  const wanted = folded(part.trim())
  if (wanted === '') return all
  return all.filter(
    ({ featureIndex, label, topToken }) =>
      String(featureIndex) === wanted ||
      folded(label ?? '').includes(wanted) ||
      folded(topToken ?? '').includes(wanted),
  )
}

function onSpan({ starts, active, values, features }: Active, span: number): ActiveFeature[] {
  const found: ActiveFeature[] = []
  for (let at = starts[span] ?? 0; at < (starts[span + 1] ?? 0); at++) {
    const feature = features[active[at] ?? -1]
    if (feature) found.push({ ...feature, value: values[at] ?? 0 })
  }
  return found.sort((a, b) => rankOf(b.value, b) - rankOf(a.value, a) || a.featureIndex - b.featureIndex)
}
