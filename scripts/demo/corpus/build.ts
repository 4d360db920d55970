/**
 * Builds the corpus of the demo's model, always the same: node scripts/demo/run.mjs corpus/build OUT [CACHE]
 * OUT gets training.jsonl, held-out.jsonl, sample.jsonl.gz (a part of the training text, for the app), figures.json and SOURCES.md.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Document } from '../texts'
import { cleanText, joinBlocks } from './clean'
import { figuresOf, sourcesTable } from './figures'
import { pagesOf } from './pages'
import { SeenBlocks, Shingles } from './repeated'
import { SOURCES } from './sources'
import type { Source } from './sources'

const HELD_OUT_SHARE = 0.05
const MOST_CHARACTERS = { code: 6000, text: 4000 }
const FEWEST_CHARACTERS = 120
/** A held-out document with more of its rows of words known from training is left out. */
const MOST_SHARED = 0.2
/** Of the training text, by UTF-8 bytes, from every source. */
const SAMPLE_SHARE = 0.17

/** A number from 0 to 1 that depends on the text alone. */
const chance = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32

const bytesOf = (text: string): number => Buffer.byteLength(text)

const SCRIPTS: Record<string, RegExp> = {
  ko: /\p{Script=Hangul}/gu,
  ja: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu,
  zh: /\p{Script=Han}/gu,
}
const FEWEST_OWN = 0.15

/** Whether a text in a language with a script of its own is in it: what nobody has translated is English there. */
function isWrittenIn(language: string, text: string): boolean {
  const script = SCRIPTS[language]
  return !script || (text.match(script)?.length ?? 0) >= FEWEST_OWN * text.length
}

/** Seen blocks of text in one language, and those of English, which translations keep where nobody has translated them. */
type Seen = { own: SeenBlocks; english: SeenBlocks }

/** Documents of a source until it has given enough, with the chance of their page. */
function documentsOf(source: Source, seen: Seen, cache: string): { document: Document; page: string }[] {
  const { name, domain, language, mostBytes } = source
  const most = domain === 'code' ? MOST_CHARACTERS.code : MOST_CHARACTERS.text
  const pages = [...pagesOf(source, cache)]
  // In the order of the chances of their keys, so that the same pages are taken in every language.
  pages.sort((a, b) => chance(a.key) - chance(b.key))
  const found: { document: Document; page: string }[] = []
  let bytes = 0
  for (const { key, blocks } of pages) {
    if (bytes > mostBytes) break
    const kept = blocks
      .map(cleanText)
      .filter((block) => block !== '' && !(language !== 'en' && seen.english.has(block)) && seen.own.take(block))
    for (const text of joinBlocks(kept, most)) {
      if (text.length < FEWEST_CHARACTERS || !isWrittenIn(language, text)) continue
      found.push({ document: { text, source: name, domain, language }, page: key })
      bytes += bytesOf(text)
    }
  }
  process.stdout.write(`${name}: ${found.length} documents, ${(bytes / 1e6).toFixed(2)} MB of ${pages.length} pages\n`)
  return found
}

/** All documents, each on its side, in an order that any beginning is a fair mixture of. */
function collect(cache: string): { training: Document[]; heldOut: Document[] } {
  const english = new SeenBlocks()
  const byLanguage = new Map([['en', english]])
  const all = SOURCES.flatMap((source) => {
    const own = byLanguage.get(source.language) ?? new SeenBlocks()
    byLanguage.set(source.language, own)
    return documentsOf(source, { own, english }, cache)
  })
  const shuffled = all.map((one) => ({ ...one, order: chance(one.document.text) })).sort((a, b) => a.order - b.order)
  const isHeldOut = (page: string) => chance(`split ${page}`) < HELD_OUT_SHARE
  const training = shuffled.filter(({ page }) => !isHeldOut(page)).map(({ document }) => document)
  const shingles = new Shingles()
  for (const { text } of training) shingles.add(text)
  const candidates = shuffled.filter(({ page }) => isHeldOut(page)).map(({ document }) => document)
  const heldOut = candidates.filter(({ text }) => shingles.shareOf(text) <= MOST_SHARED)
  const leftOut = figuresOf(candidates.filter((document) => !heldOut.includes(document)))
  for (const [source, { documents }] of Object.entries(leftOut.sources)) {
    process.stdout.write(`${source}: ${documents} held-out documents are too like what is trained on, and left out\n`)
  }
  return { training, heldOut }
}

const linesOf = (documents: readonly Document[]): string =>
  documents.map((document) => `${JSON.stringify(document)}\n`).join('')

/** The first documents of every source, until each has given its share; in the order they have. */
function sampleOf(training: readonly Document[]): Document[] {
  const given = new Map<string, number>()
  const all = new Map<string, number>()
  for (const { source, text } of training) all.set(source, (all.get(source) ?? 0) + bytesOf(text))
  return training.filter(({ source, text }) => {
    const before = given.get(source) ?? 0
    if (before > SAMPLE_SHARE * (all.get(source) ?? 0)) return false
    given.set(source, before + bytesOf(text))
    return true
  })
}

function main(): void {
  const [out, cache = join(homedir(), '.cache', 'monoscope-demo', 'packages')] = process.argv.slice(2)
  if (!out) throw new Error('name the folder to write to')
  mkdirSync(out, { recursive: true })
  mkdirSync(cache, { recursive: true })
  const { training, heldOut } = collect(cache)
  const sample = sampleOf(training)
  writeFileSync(join(out, 'training.jsonl'), linesOf(training))
  writeFileSync(join(out, 'held-out.jsonl'), linesOf(heldOut))
  // Level 9 without a name and a time: the same bytes every time.
  writeFileSync(join(out, 'sample.jsonl.gz'), gzipSync(linesOf(sample), { level: 9 }))
  const figures = { training: figuresOf(training), heldOut: figuresOf(heldOut), sample: figuresOf(sample) }
  writeFileSync(join(out, 'figures.json'), `${JSON.stringify(figures, null, 1)}\n`)
  writeFileSync(join(out, 'SOURCES.md'), sourcesTable(SOURCES, figures))
  for (const [name, { bytes, documents }] of Object.entries(figures)) {
    process.stdout.write(`${name}: ${documents} documents, ${(bytes / 1e6).toFixed(1)} MB\n`)
  }
  process.exit(0)
}

main()
