/** Contexts that read nearly the same around the marked token, folded into one row each. */
import type { Context } from '../../../shared/domain'
import { folded } from '../../../shared/folding'

/** Spans on either side of the marked one that are compared. */
const AROUND = 5

export type ContextGroup = { context: Context; duplicates: Context[] }

/** What is compared: case, digits and the amount of white space do not count. */
const nearText = ({ spans, peak }: Context): string =>
  folded(
    spans
      .slice(Math.max(0, peak - AROUND), peak + AROUND + 1)
      .map((span) => span.text)
      .join(''),
  )
    .replace(/\d+/g, '0')
    .replace(/\s+/g, ' ')
    .trim()

/** In the order of the contexts; the first of those that read the same stands for all. */
export function foldDuplicates(contexts: readonly Context[]): ContextGroup[] {
  const groups = new Map<string, ContextGroup>()
  for (const context of contexts) {
    const key = nearText(context)
    const group = groups.get(key)
    if (group) group.duplicates.push(context)
    else groups.set(key, { context, duplicates: [] })
  }
  return [...groups.values()]
}
