/** Text without control characters, which hide or garble what stands beside them: what people write about features, and what a terminal is given. */
import { z } from 'zod'
import { composed } from './folding'

/** All but tab and line breaks, which text of several lines may have. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]+/g
const BREAKS = /[\t\n\r\u2028\u2029]+/g

const TOO_SHORT = 'it may not be empty'

/** Runs of control characters as U+FFFD; tabs and line breaks stay. */
export const withoutControls = (text: string): string => text.replace(CONTROL, '\uFFFD')

/** Text for a terminal: what would move its cursor or change its colours is shown as U+FFFD instead, a lone carriage return too. */
export const forTerminal = (text: string): string => withoutControls(text).replace(/\r(?!\n)/g, '\uFFFD')

/** Text of several lines. A control character becomes a space. */
export const plainLines = (most: number, least = 0) =>
  z
    .string()
    .overwrite((text) => composed(text).replace(CONTROL, ' ').trim())
    .min(least, TOO_SHORT)
    .max(most)

/** Text of one line: a name, a label. Line breaks and tabs become spaces too. */
export const plainLine = (most: number, least = 0) =>
  z
    .string()
    .overwrite((text) => composed(text).replace(CONTROL, ' ').replace(BREAKS, ' ').trim())
    .min(least, TOO_SHORT)
    .max(most)
