/**
 * Asks the demo's first autoencoder for features of the kinds the paper shows, and writes what is found, or that nothing is:
 *   node scripts/demo/run.mjs probes --demo resources/demo --out docs/probes.md
 * Every search is made on one half of the texts; the other half says whether what was found holds.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyDemo } from '../../src/main/workspace/demo-files'
import { markdownTable } from './markdown'
import { addText, bestOf, candidateIn, newActivity } from './probe-activity'
import type { Activity, Candidate } from './probe-activity'
import { openProbeReader } from './probe-reader'
import type { Firing, ProbeReader } from './probe-reader'
import { MATTERS, TOPICS } from './probe-sentences'
import { readLines } from './texts'

/** Tokens of each domain and language in each half. */
const GROUP_TOKENS = 15_000
/** Languages whose help pages and handbooks are in the sample on both halves. */
const LANGUAGES = ['de', 'en', 'es', 'fr', 'ja', 'ko', 'zh']
const CODE = ['code c', 'code javascript', 'code python']
const PROSE = ['prose en', 'scripture en', 'speeches en', 'help en', 'handbook en']
const LATIN = new Set(['en', 'de', 'fr', 'es'])
/** What counts as found: in the confirming half in at least half of the texts inside, and in at most this share of any group outside. */
const LEAST_INSIDE = 0.5
const MOST_OUTSIDE = 0.05
const LEAST_LANGUAGES = 4
const SHOWN = 3
/** What counts as firing: so large a share of a feature's largest activation in the atlas. */
const STRONG = 0.25
const LEVELS = [0, STRONG] as const

type Halves = { search: Activity; confirm: Activity }
type Kinds = { inside: readonly string[]; outside: readonly string[] }
/** A table, and for which of the asked kinds something was found. */
type Part = { table: string; found: string[] }

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`
const shown = (text: string) => `\`${text.replaceAll('\n', '\\n').replaceAll('`', "'").replaceAll('|', '\\|')}\``
const newHalves = (reader: ProbeReader): Halves => ({
  search: newActivity(reader.dSae),
  confirm: newActivity(reader.dSae),
})
const above = ({ shares }: Firing, level: number) =>
  [...shares].flatMap(([feature, share]) => (share >= level ? [feature] : []))

/** Windows of every second document of the sample in one half, of the others in the other, at each level; groups are "domain language". */
async function readSample(path: string, reader: ProbeReader): Promise<{ levels: Halves[]; tokens: number }> {
  const levels = LEVELS.map(() => newHalves(reader))
  const seen = new Map<string, { documents: number; tokens: [number, number] }>()
  let total = 0
  for await (const { text, domain, language } of readLines(path)) {
    const group = `${domain} ${language}`
    const state = seen.get(group) ?? { documents: 0, tokens: [0, 0] }
    seen.set(group, state)
    const half = state.documents++ % 2 === 0 ? 0 : 1
    if (state.tokens[half] >= GROUP_TOKENS) continue
    for (const window of await reader.readWindows(text)) {
      levels.forEach(({ search, confirm }, l) =>
        addText(half === 0 ? search : confirm, group, above(window, LEVELS[l] ?? 0)),
      )
      state.tokens[half] += window.tokens
      total += window.tokens
    }
  }
  return { levels, tokens: total }
}

const isFound = ({ inside, outside }: Candidate) => inside >= LEAST_INSIDE && outside <= MOST_OUTSIDE

function aboutLine(reader: ProbeReader, feature: number): string {
  const { tokens, label } = reader.about(feature)
  const most = tokens.slice(0, 4).map(([text, count]) => `${shown(text)} ${count}`)
  return `${label === null ? '' : `${label}; `}${most.join(', ')}`
}

const HEADS = ['', 'feature', 'search: in', 'out', 'confirm: in', 'out', 'found', 'density', 'its 20 strongest tokens']

/** For each kind the best features: how they do on the half they were searched on, and on the other. */
function tellApart(kinds: Record<string, Kinds>, { search, confirm }: Halves, reader: ProbeReader): Part {
  const found: string[] = []
  const rows = Object.entries(kinds).flatMap(([name, groups]) =>
    bestOf(search, groups, SHOWN).map((best, rank) => {
      const held = candidateIn(confirm, best.feature, groups)
      if (isFound(held) && !found.includes(name)) found.push(name)
      return [
        ...[rank === 0 ? name : '', String(best.feature), percent(best.inside), percent(best.outside)],
        ...[percent(held.inside), percent(held.outside), isFound(held) ? '**yes**' : 'no'],
        ...[percent(reader.density(best.feature)), aboutLine(reader, best.feature)],
      ]
    }),
  )
  return { table: markdownTable(HEADS, rows), found }
}

function languageKinds({ confirm }: Halves): Record<string, Kinds> {
  const groups = (languages: string[]) =>
    languages
      .flatMap((language) => [`help ${language}`, `handbook ${language}`])
      .filter((group) => confirm.texts.has(group))
  return Object.fromEntries(
    LANGUAGES.map((language) => [
      language,
      { inside: groups([language]), outside: groups(LANGUAGES.filter((other) => other !== language)) },
    ]),
  )
}

const CODE_KINDS: Record<string, Kinds> = {
  code: { inside: CODE, outside: PROSE },
  prose: { inside: PROSE, outside: CODE },
}

async function topicProbe(reader: ProbeReader): Promise<Part[]> {
  const levels = LEVELS.map(() => newHalves(reader))
  for (const [topic, texts] of Object.entries(TOPICS)) {
    for (const [at, text] of texts.entries()) {
      const firing = await reader.read(text)
      levels.forEach(({ search, confirm }, l) =>
        addText(at < 3 ? search : confirm, topic, above(firing, LEVELS[l] ?? 0)),
      )
    }
  }
  const topics = Object.keys(TOPICS)
  const kinds = topics.map((topic) => [topic, { inside: [topic], outside: topics.filter((other) => other !== topic) }])
  return levels.map((halves) => tellApart(Object.fromEntries(kinds) as Record<string, Kinds>, halves, reader))
}

/** Languages of a matter in whose sentence a feature fires, and its share of all sentences on other matters. */
type Spread = { feature: number; languages: string[]; others: number }

/** fired[matter][language] of one half. */
type Fired = Set<number>[][]

function spreadOf(
  fired: Fired,
  matter: number,
  { feature, languages }: { feature: number; languages: string[] },
): Spread {
  const own = languages.filter((_, l) => fired[matter]?.[l]?.has(feature))
  const others = fired.flatMap((sentences, m) => (m === matter ? [] : sentences))
  const share = others.filter((features) => features.has(feature)).length / others.length
  return { feature, languages: own, others: share }
}

async function readMatters(reader: ProbeReader, languages: string[], half: 0 | 1): Promise<Firing[][]> {
  const found: Firing[][] = []
  for (const { sentences } of MATTERS) {
    const row: Firing[] = []
    for (const language of languages) row.push(await reader.read(sentences[language]?.[half] ?? ''))
    found.push(row)
  }
  return found
}

function mattersAt(
  level: number,
  { search, confirm }: { search: Firing[][]; confirm: Firing[][] },
  around: { languages: string[]; reader: ProbeReader },
): Part {
  const { languages, reader } = around
  const firedIn = (half: Firing[][]): Fired => half.map((row) => row.map((firing) => new Set(above(firing, level))))
  const [searched, confirmed] = [firedIn(search), firedIn(confirm)]
  const score = ({ languages: own, others }: Spread) => own.length / languages.length - others
  const features = Array.from({ length: reader.dSae }, (_, feature) => feature)
  const found: string[] = []
  const rows = MATTERS.flatMap(({ name }, matter) => {
    const all = features.map((feature) => spreadOf(searched, matter, { feature, languages }))
    const best = all.sort((a, b) => score(b) - score(a) || a.feature - b.feature).slice(0, SHOWN)
    return best.map((one, rank) => {
      const held = spreadOf(confirmed, matter, { feature: one.feature, languages })
      const scripts = held.languages.some((l) => LATIN.has(l)) && held.languages.some((l) => !LATIN.has(l))
      const isHeld = [one, held].every(
        (half) => half.languages.length >= LEAST_LANGUAGES && half.others <= MOST_OUTSIDE,
      )
      if (isHeld && !found.includes(name)) found.push(name)
      return [
        ...[rank === 0 ? name : '', String(one.feature), one.languages.join(' '), percent(one.others)],
        ...[
          held.languages.join(' '),
          percent(held.others),
          isHeld ? (scripts ? '**yes**' : '**yes**, one script') : 'no',
        ],
        ...[percent(reader.density(one.feature)), aboutLine(reader, one.feature)],
      ]
    })
  })
  const heads = ['', 'feature', 'search: languages', 'others', 'confirm: languages', 'others', ...HEADS.slice(6)]
  return { table: markdownTable(heads, rows), found }
}

async function matterProbe(reader: ProbeReader): Promise<Part[]> {
  const languages = Object.keys(MATTERS[0]?.sentences ?? {})
  const halves = { search: await readMatters(reader, languages, 0), confirm: await readMatters(reader, languages, 1) }
  return LEVELS.map((level) => mattersAt(level, halves, { languages, reader }))
}

const listed = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(', '))

/** What was found at each level, and the tables at the higher one. */
const answer = ([any, strong]: Part[], asked: readonly string[]) =>
  `Asked for: ${listed(asked)}. **Found above a quarter: ${listed(strong?.found ?? [])}.** Found above zero: ${listed(any?.found ?? [])}.

${strong?.table ?? ''}`

type Found = Record<'matters' | 'topics' | 'languages' | 'code', Part[]> & { reader: ProbeReader; tokens: number }

const report = ({ matters, topics, languages, code, reader, tokens }: Found) => `# Probes of the demo's autoencoder

The paper shows features of striking kinds. Here a script asks the demo's first autoencoder (4,096 features on the residual stream after the middle
block of a language model of 3.8 million parameters) for some of them, and writes down what it finds; no feature was chosen by hand.

**How.** Every text belongs to one of two halves. On the first, _search_, all 4,096 features are ranked by the share of texts inside the wanted kind in
which they fire, less the largest such share in any group outside; the first ${SHOWN} are shown. On the second, _confirm_, the same two shares are
computed again for them. _Found_: in confirm in at least ${percent(LEAST_INSIDE)} of the texts inside and at most ${percent(MOST_OUTSIDE)} of those of any group outside. A feature fires in a text when
on any of its tokens it is above a quarter of its largest activation in the shipped atlas. The first run asked for anything above zero, and found next to
nothing: one weak activation among 255 tokens was enough to count. What is found by that rule is said beside it.
_Density_ is the share of the tokens of the atlas on which a feature is above zero; the last column has its label, if it has one, and the tokens at which
its 20 strongest contexts there are marked. All texts of the sample were seen in training. Computed with ${reader.backend}; again with
\`node scripts/demo/run.mjs probes --demo resources/demo --out docs/probes.md\`.

## One language and no other

Windows of up to 255 tokens of help pages and handbooks, so that the matter is much the same in every language; up to ${GROUP_TOKENS.toLocaleString('en-US')} tokens of
each kind, language and half (${tokens.toLocaleString('en-US')} tokens in all, those for code and prose included). _Out_ is the worst of the other six languages.

${answer(languages, LANGUAGES)}

## The same sentence in several languages

${MATTERS.length} matters, each put into one sentence in seven languages for the search and another for the confirmation. Shown are the languages in whose sentence a
feature fires, and the share of the ${(MATTERS.length - 1) * 7} sentences on other matters in which it fires. _Found_: in both halves at least ${LEAST_LANGUAGES} languages and at most ${percent(MOST_OUTSIDE)} of the
others; "one script" where these languages are all of those with Latin letters, or none of them.

${answer(
  matters,
  MATTERS.map(({ name }) => name),
)}

## Code and prose

Windows of C, JavaScript and Python against windows of prose, scripture, speeches, help pages and handbook in English.

${answer(code, Object.keys(CODE_KINDS))}

## A concrete topic

${Object.keys(TOPICS).length} topics with six English sentences each, three for each half, which share no word of content, so that a feature of one word cannot hold. _Out_ is the
worst of the other topics, of which each has three sentences: the next step above 0 % is 33 %.

${answer(topics, Object.keys(TOPICS))}
`

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { demo: text, out: text } })
  const { demo, out } = values
  if (demo === undefined || out === undefined) throw new Error('--demo and --out are needed')
  const folder = mkdtempSync(join(tmpdir(), 'monoscope-probes-'))
  const files = await copyDemo(demo, folder)
  const reader = await openProbeReader(files, demo, folder)
  const [matters, topics] = [await matterProbe(reader), await topicProbe(reader)]
  const { levels, tokens } = await readSample(files.sample, reader)
  const languages = levels.map((halves) => tellApart(languageKinds(halves), halves, reader))
  const code = levels.map((halves) => tellApart(CODE_KINDS, halves, reader))
  writeFileSync(out, report({ matters, topics, languages, code, reader, tokens }))
  rmSync(folder, { recursive: true })
  process.exit(0)
}

void main()
