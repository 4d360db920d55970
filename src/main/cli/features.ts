/** `features`: list, show, label and tag the features of an autoencoder. */
import { type Command, Option } from 'commander'
import { FeatureSort } from '../../shared/domain'
import type { FeatureDetail, FeatureRow, LogitToken, Neighbour, TokenSpan } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { findSae, toNumber } from './find'
import type { RunCommand } from './run-command'
import type { Session } from './session'

type ListOptions = {
  sae?: string
  text: string
  sort: 'index' | 'density' | 'max' | 'label'
  descending?: boolean
  alive?: boolean
  labelled?: boolean
  limit: number
  offset: number
}

const SHOWN_CONTEXTS = 5
const percent = (share: number) => `${(100 * share).toPrecision(3)}%`
const oneLine = (spans: readonly TokenSpan[]) =>
  spans
    .map((span) => span.text)
    .join('')
    .replace(/\s+/g, ' ')

const rowLine = ({ featureIndex, density, maxActivation, label, topToken, peakSpans, tags }: FeatureRow): string => {
  const name = label ?? JSON.stringify(topToken ?? '')
  const marks = tags.map((tag) => `#${tag.name}`).join(' ')
  return `${featureIndex}\t${percent(density)}\t${maxActivation.toFixed(2)}\t${name}\t${marks}\t${oneLine(peakSpans)}`
}

const neighbourLine = ({ featureIndex, cosine, density, label, topToken }: Neighbour): string =>
  `${featureIndex}\t${cosine.toFixed(3)}\t${percent(density)}\t${label ?? JSON.stringify(topToken ?? '')}`

const logitLine = (sign: string, tokens: readonly LogitToken[]) =>
  `  ${sign} ${tokens.map(({ text, weight }) => `${JSON.stringify(text)} ${weight.toFixed(2)}`).join('  ')}`

function detailLines(feature: FeatureDetail): string[] {
  const contexts = feature.contexts.slice(0, SHOWN_CONTEXTS).map(({ max, spans, peak }) => {
    const marked = spans.map((span, i) => (i === peak ? { ...span, text: `[${span.text}]` } : span))
    return `  ${max.toFixed(2)}\t${oneLine(marked)}`
  })
  const labels = feature.labels.map(
    ({ text, author, chosen }) => `  ${chosen ? '*' : ' '} ${text}${author && ` (${author})`}`,
  )
  const safety = feature.safety.map(({ category, reason }) => `  ! ${category}: ${reason}`)
  const { logits } = feature.weights ?? { logits: null }
  const effects = logits ? [logitLine('+', logits.top), logitLine('-', logits.bottom)] : []
  return [rowLine(feature), ...labels, ...safety, ...contexts, ...effects]
}

async function neighbours(session: Session, index: string, { sae }: { sae?: string }): Promise<void> {
  const { id: saeId } = await findSae(session, sae)
  const { weights } = await session.client.call('features.get', { saeId, featureIndex: toNumber(index) })
  if (!weights) throw new AppError('atlas-outdated', { id: saeId })
  session.out.list(weights.neighbours, neighbourLine)
}

async function list({ client, out, ...session }: Session, options: ListOptions): Promise<void> {
  const sae = await findSae({ client, out, ...session }, options.sae)
  const { sort, limit, offset, text } = options
  const filter = { text, state: options.alive ? 'alive' : 'any', labelled: options.labelled ? 'yes' : 'any' } as const
  const descending = options.descending === true
  const page = await client.call('features.list', { saeId: sae.id, filter, sort, descending, limit, offset })
  out.note(out.say('featureCount', { matching: page.matching, total: page.total, alive: page.alive }))
  out.list(page.rows, rowLine)
}

export function addFeatureCommands(program: Command, run: RunCommand): void {
  const features = program.command('features').description('features of an autoencoder')
  const command = (usage: string, description: string) =>
    features.command(usage).description(description).option('--sae <id or name>', 'the newest unless given')
  command('list', 'list features')
    .option('--text <part>', 'part of a label or top token', '')
    .addOption(new Option('--sort <by>', 'what to sort by').choices(FeatureSort.options).default('index'))
    .option('--descending', 'largest first')
    .option('--alive', 'only features that fire')
    .option('--labelled', 'only features with a label')
    .option('--limit <rows>', 'rows to print', toNumber, 50)
    .option('--offset <rows>', 'rows to skip', toNumber, 0)
    .action((options: ListOptions) => run((session) => list(session, options)))
  command('show <index>', 'show one feature with its contexts').action((index: string, options: { sae?: string }) =>
    run(async (session) => {
      const { id: saeId } = await findSae(session, options.sae)
      const feature = await session.client.call('features.get', { saeId, featureIndex: toNumber(index) })
      session.out.result(feature, detailLines(feature))
    }),
  )
  command('neighbors <index>', 'list the features that write in the most similar direction').action(
    (index: string, options: { sae?: string }) => run((session) => neighbours(session, index, options)),
  )
  command('label <index> <text>', 'label a feature; an empty text takes the label away')
    .option('--author <name>', 'who says so', '')
    .action((index: string, text: string, options: { sae?: string; author: string }) =>
      run(async (session) => {
        const { client, out } = session
        const { id: saeId } = await findSae(session, options.sae)
        const labels = await client.call('features.label', {
          saeId,
          featureIndex: toNumber(index),
          text,
          author: options.author,
        })
        const chosen = labels.find((label) => label.chosen)
        const line = chosen ? out.say('labelled', { index, text: chosen.text }) : out.say('unlabelled', { index })
        out.result({ featureIndex: toNumber(index), labels }, line)
      }),
    )
  command('tag <name> <index...>', 'put a tag on features').action(
    (name: string, indexes: string[], options: { sae?: string }) =>
      run(async (session) => {
        const { client, out } = session
        const { id: saeId } = await findSae(session, options.sae)
        const featureIndexes = indexes.map(toNumber)
        const tag = await client.call('features.tag', { saeId, featureIndexes, name })
        out.result({ tag, featureIndexes }, out.say('tagged', { indexes: indexes.join(', '), name: tag.name }))
      }),
  )
}
