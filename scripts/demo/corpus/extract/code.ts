/** Source code: files, and parts of an amalgamation of files, in blocks that are set apart by empty lines. */
import type { Page } from './page'

/** Lines longer than this are data or minified. */
const LONGEST_LINE = 400

/** A file begins here in SQLite's amalgamation. */
const BEGIN = /^\/\*+ Begin file (\S+) \*+\/$/m

/** Blocks of code; those with lines no one would write are left out. */
export const codeBlocks = (text: string): string[] =>
  text
    .split(/\n[ \t]*\n/)
    .map((block) => block.replace(/^\n+|\s+$/g, ''))
    .filter((block) => block !== '' && block.split('\n').every((line) => line.length <= LONGEST_LINE))

/** @returns one page for a file, or one for each of the files that were put together in it */
export function codePages(key: string, text: string): Page[] {
  if (!BEGIN.test(text)) return [{ key, blocks: codeBlocks(text) }]
  const parts = text.split(BEGIN)
  return Array.from({ length: (parts.length - 1) / 2 }, (_, i) => ({
    key: `${key} ${parts[2 * i + 1] ?? ''}`,
    blocks: codeBlocks(parts[2 * i + 2] ?? ''),
  }))
}
