/** Plain prose, verses of scripture, and glosses of a dictionary. */
import type { Page } from './page'

/** A text whose paragraphs are set apart by empty lines; lines inside them are joined. */
export function prosePage(key: string, text: string): Page {
  const blocks = text.split(/\n\s*\n/).map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
  return { key, blocks: blocks.filter((block) => block !== '') }
}

/** Chapters of a Bible whose lines are `Ge1:2 And the earth ...`; each chapter keeps the numbers of its verses. */
export function chapters(text: string): Page[] {
  const pages = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, chapter, verse, said] = /^(\w+?\d+):(\d+) (.+)$/.exec(line) ?? []
    if (!chapter || !verse || !said) continue
    const verses = pages.get(chapter) ?? []
    verses.push(`${verse} ${said.trim()}`)
    pages.set(chapter, verses)
  }
  return [...pages].map(([key, verses]) => ({ key, blocks: verses }))
}

const KINDS = { n: 'noun', v: 'verb', a: 'adjective', s: 'adjective', r: 'adverb' } as const
const isKind = (letter: string): letter is keyof typeof KINDS => letter in KINDS
const GLOSSES_A_PAGE = 12

/** The words and the gloss of each line of a WordNet data file, as `word, word (noun): gloss`, a dozen to a page. */
export function glossPages(file: string, data: string): Page[] {
  const lines: string[] = []
  for (const line of data.split('\n')) {
    const [head = '', gloss] = line.split(' | ')
    const fields = head.split(' ')
    const kind = fields[2] ?? ''
    if (!gloss || !isKind(kind)) continue
    const count = parseInt(fields[3] ?? '0', 16)
    const words = Array.from({ length: count }, (_, i) =>
      (fields[4 + 2 * i] ?? '').replace(/\(\w+\)$/, '').replaceAll('_', ' '),
    )
    lines.push(`${words.join(', ')} (${KINDS[kind]}): ${gloss.trim()}`)
  }
  return Array.from({ length: Math.ceil(lines.length / GLOSSES_A_PAGE) }, (_, page) => ({
    key: `${file} ${page}`,
    blocks: lines.slice(page * GLOSSES_A_PAGE, (page + 1) * GLOSSES_A_PAGE),
  }))
}
