/** `features`, `search`, `safety`: reading, naming, finding and judging features. */
import { Option, type Command } from 'commander'
import { FeatureSort, SafetyCategory, type Context, type FeatureRow, type Sae } from '../../shared/domain'
import { table } from './output'
import { action, decimal, pick, wholeNumber, type OpenClient, type Session } from './session'

export const chosenSae = async (session: Session, wanted: string | undefined): Promise<Sae> =>
  pick('autoencoder', await session.client.call('saes.list', {}), wanted)

const percent = (share: number): string => `${(share * 100).toPrecision(3)} %`

/** One line of text with the peak in brackets; white space made visible. */
const contextText = (context: Pick<Context, 'spans' | 'peak'>): string =>
  context.spans
    .map((span, index) => (index === context.peak ? `[${span.text}]` : span.text))
    .join('')
    .replaceAll('\n', '↵')

const featureLine = (row: FeatureRow): string[] => [
  String(row.featureIndex),
  row.label ?? '',
  row.tags.map((tag) => tag.name).join(', '),
  percent(row.density),
  row.maxActivation.toFixed(2),
  (row.topToken ?? '').replaceAll('\n', '↵'),
]

type ListOptions = {
  sae?: string
  sort: FeatureSort
  desc?: boolean
  limit: string
  offset: string
  text: string
  alive?: boolean
  labelled?: boolean
}

function addList(features: Command, open: OpenClient): void {
  features
    .command('list')
    .description('list features: number, label, tags, density, maximum, top token')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .addOption(new Option('--sort <by>', 'order').choices(FeatureSort.options).default('index'))
    .option('--desc', 'largest first')
    .option('--limit <n>', 'rows', '50')
    .option('--offset <n>', 'rows to skip', '0')
    .option('--text <part>', 'part of a label or of the top token', '')
    .option('--alive', 'only features that fire')
    .option('--labelled', 'only features with a label')
    .action(
      action(open, async (session, options: ListOptions) => {
        const sae = await chosenSae(session, options.sae)
        const page = await session.client.call('features.list', {
          saeId: sae.id,
          sort: options.sort,
          descending: options.desc === true,
          limit: wholeNumber('--limit', options.limit),
          offset: wholeNumber('--offset', options.offset),
          filter: {
            text: options.text,
            state: options.alive ? 'alive' : 'any',
            labelled: options.labelled ? 'yes' : 'any',
          },
        })
        session.out.result(page, table(page.rows.map(featureLine)))
      }),
    )
}

function addShow(features: Command, open: OpenClient): void {
  features
    .command('show <index>')
    .description('statistics and top contexts of one feature')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .action(
      action(open, async (session, index: string, options: { sae?: string }) => {
        const sae = await chosenSae(session, options.sae)
        const featureIndex = wholeNumber('index', index)
        const feature = await session.client.call('features.get', { saeId: sae.id, featureIndex })
        const contexts = feature.contexts.map((context) => [context.max.toFixed(2), contextText(context)])
        session.out.result(feature, [featureLine(feature).join('  '), ...table(contexts)])
      }),
    )
}

function addLabelAndTag(features: Command, open: OpenClient): void {
  features
    .command('label <index> <text>')
    .description('label a feature; an empty text removes the label')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .option('--author <name>', 'who labels', '')
    .action(
      action(open, async (session, index: string, text: string, options: { sae?: string; author: string }) => {
        const sae = await chosenSae(session, options.sae)
        const featureIndex = wholeNumber('index', index)
        const { author } = options
        const labels = await session.client.call('features.label', { saeId: sae.id, featureIndex, text, author })
        const label = labels.find((one) => one.chosen)?.text
        session.out.result(
          { saeId: sae.id, featureIndex, labels },
          label === undefined
            ? session.words('unlabelled', { index: String(featureIndex) })
            : session.words('labelled', { index: String(featureIndex), label }),
        )
      }),
    )
  features
    .command('tag <name> <index...>')
    .description('put a tag on features')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .action(
      action(open, async (session, name: string, indexes: string[], options: { sae?: string }) => {
        const sae = await chosenSae(session, options.sae)
        const featureIndexes = indexes.map((index) => wholeNumber('index', index))
        const tag = await session.client.call('features.tag', { saeId: sae.id, featureIndexes, name })
        const result = { saeId: sae.id, featureIndexes, tag }
        session.out.result(result, session.words('tagged', { tag: tag.name, count: featureIndexes.length }))
      }),
    )
}

function addSearch(program: Command, open: OpenClient): void {
  const collect = (value: string, all: string[]) => [...all, value]
  program
    .command('search')
    .description('find features')
    .command('prompts')
    .description('features that fire at the last token of all positive prompts and of no negative one')
    .option('-p, --positive <text>', 'prompt on which the feature must fire; may be repeated', collect, [])
    .option('-n, --negative <text>', 'prompt on which it must stay silent; may be repeated', collect, [])
    .option('--max-density <share>', 'leave out features denser than this, 0 to 1', '1')
    .option('--limit <n>', 'rows', '20')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .action(
      action(open, async (session, options: SearchOptions) => {
        const sae = await chosenSae(session, options.sae)
        const result = await session.client.call('search.prompts', {
          saeId: sae.id,
          prompts: [
            ...options.positive.map((text) => ({ text, sign: 'positive' as const })),
            ...options.negative.map((text) => ({ text, sign: 'negative' as const })),
          ],
          maxDensity: decimal('--max-density', options.maxDensity),
          limit: wholeNumber('--limit', options.limit),
        })
        const rows = result.hits.map((hit) => [
          String(hit.featureIndex),
          hit.score.toFixed(3),
          ...hit.values.map((value) => value.toFixed(2)),
          hit.label ?? '',
        ])
        const { matching } = result
        session.out.result(result, [
          session.words('found', { matching, seconds: result.seconds.toFixed(2) }),
          ...table(rows),
        ])
      }),
    )
}
type SearchOptions = { positive: string[]; negative: string[]; maxDensity: string; limit: string; sae?: string }

function addSafety(program: Command, open: OpenClient): void {
  const safety = program.command('safety').description('safety review')
  safety
    .command('tag <index> <category> <reason>')
    .description(`put a feature into a category: ${SafetyCategory.options.join(', ')}`)
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .action(
      action(
        open,
        async (session, ...args: [index: string, category: string, reason: string, options: { sae?: string }]) => {
          const [index, category, reason, options] = args
          const sae = await chosenSae(session, options.sae)
          const flag = await session.client.call('safety.assign', {
            saeId: sae.id,
            featureIndex: wholeNumber('index', index),
            // The contract refuses a category that is not in the list, by name.
            category: category as SafetyCategory,
            reason,
          })
          session.out.result(
            flag,
            session.words('flagged', { index: String(flag.featureIndex), category, reason: flag.reason }),
          )
        },
      ),
    )
  safety
    .command('list [category]')
    .description('features of a category, or how many each holds')
    .option('--sae <id>', 'autoencoder, the newest unless given')
    .action(
      action(open, async (session, category: string | undefined, options: { sae?: string }) => {
        const sae = await chosenSae(session, options.sae)
        if (category === undefined) {
          const counts = await session.client.call('safety.counts', { saeId: sae.id })
          return session.out.result(counts, table(counts.map((one) => [one.category, String(one.count)])))
        }
        const entries = await session.client.call('safety.list', {
          saeId: sae.id,
          category: category as SafetyCategory,
        })
        session.out.result(entries, table(entries.map(({ flag, feature }) => [...featureLine(feature), flag.reason])))
      }),
    )
}

export function addFeatureCommands(program: Command, open: OpenClient): void {
  const features = program.command('features').description('features of an autoencoder')
  addList(features, open)
  addShow(features, open)
  addLabelAndTag(features, open)
  addSearch(program, open)
  addSafety(program, open)
}
