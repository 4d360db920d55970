/** How much text of which kind there is, and the table of sources with their licences. */
import { markdownTable } from '../markdown'
import type { Document } from '../texts'
import type { Source } from './sources'

type Amount = { documents: number; characters: number; bytes: number }
export type Figures = Amount & {
  sources: Record<string, Amount>
  /** By `domain language`. */
  kinds: Record<string, Amount>
}

const none = (): Amount => ({ documents: 0, characters: 0, bytes: 0 })

export function figuresOf(documents: readonly Document[]): Figures {
  const figures: Figures = { ...none(), sources: {}, kinds: {} }
  for (const { text, source, domain, language } of documents) {
    const ofSource = (figures.sources[source] ??= none())
    const ofKind = (figures.kinds[`${domain} ${language}`] ??= none())
    for (const amount of [figures, ofSource, ofKind]) {
      amount.documents += 1
      amount.characters += text.length
      amount.bytes += Buffer.byteLength(text)
    }
  }
  return figures
}

const megabytes = (amount: Amount | undefined) => ((amount?.bytes ?? 0) / 1e6).toFixed(2)

/** SOURCES.md. */
export function sourcesTable(
  sources: readonly Source[],
  { training, heldOut, sample }: Record<string, Figures>,
): string {
  const heads = [
    'Source',
    'Package',
    'Domain',
    'Language',
    'Licence',
    'Attribution',
    'Training MB',
    'Held-out MB',
    'Sample MB',
  ]
  const rows = sources.map(({ name, package: from, domain, language, licence, attribution }) => [
    ...[
      name,
      from ? `${from.name} ${from.version} (${from.kind})` : 'none: made by a script',
      domain,
      language,
      licence,
    ],
    ...[
      attribution,
      megabytes(training?.sources[name]),
      megabytes(heldOut?.sources[name]),
      megabytes(sample?.sources[name]),
    ],
  ])
  return `# Sources of the demo's text

Written by \`scripts/demo/corpus/build.ts\`; texts are cleaned, cut into documents and rid of repetitions. The sample is what ships in
\`sample.jsonl.gz\`, where every document names its source; it stays under the licence of that source.

${markdownTable(heads, rows)}
`
}
