/** The numbers of a feature as text: enough digits to compare, never more than the measurement holds. */

/** Activation with three significant digits, as `31.8`; zero is `0`. */
export function activationText(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  return size >= 0.01 ? value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3) : value.toExponential(1)
}

/** Share of tokens in percent without the sign, as `0.412`; shares under 0.0005 % as a power of ten. */
export function densityPercent(share: number): string {
  const percent = 100 * share
  if (percent === 0) return '0'
  if (percent < 0.0005) return percent.toExponential(1)
  return percent >= 10 ? percent.toFixed(1) : percent.toFixed(3)
}

/** log10 of a density, as `−2.39`; null for a feature that never fired. */
export function logDensity(share: number): string | null {
  return share > 0 ? Math.log10(share).toFixed(2).replace('-', '−') : null
}

/** Two decimals with a sign, as `+1.38` or `−0.61`; zero is `0`. More digits where two would show nothing. */
export function signedText(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  const digits = size >= 0.01 ? size.toFixed(2) : size.toExponential(1)
  return `${value < 0 ? '−' : '+'}${digits}`
}
