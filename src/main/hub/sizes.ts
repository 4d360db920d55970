/** Byte counts as people read them. */
const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

/** Decimal units with three figures: `1.23 GB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${Math.max(0, Math.round(bytes))} B`
  const power = Math.min(UNITS.length, Math.floor(Math.log10(bytes) / 3))
  // toPrecision may round 999.96 up to the next thousand; Number removes its exponent then.
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${UNITS[power - 1] ?? ''}`
}
