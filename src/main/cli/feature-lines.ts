/** How the command line writes shares and contexts of features. */
import type { Context, TokenSpan } from '../../shared/domain'

export const inPercent = (share: number): string => `${(100 * share).toPrecision(3)}%`

/** Text on one line. */
export const oneLine = (spans: readonly TokenSpan[]): string =>
  spans
    .map((span) => span.text)
    .join('')
    .replace(/\s+/g, ' ')

/** A context with its activation and its peak in brackets. */
export function contextLine({ value, spans, peak }: Context): string {
  const marked = spans.map((span, i) => (i === peak ? { ...span, text: `[${span.text}]` } : span))
  return `  ${value.toFixed(2)}\t${oneLine(marked)}`
}
