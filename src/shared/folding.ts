/** When two texts that people wrote are the same: however their letters are composed, and in whatever case. */

/** As it is stored: a letter and its accent are one character where there is one (Unicode NFC). */
export const composed = (text: string): string => text.normalize('NFC')

/**
 * A text for comparing and searching. The way over capitals folds what has no small letter of its own: "Straße" and "STRASSE", the ligature
 * "ﬁ" and "FI", both small sigmas.
 */
export const folded = (text: string): string =>
  text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('\u03C2', '\u03C3').normalize('NFC')
