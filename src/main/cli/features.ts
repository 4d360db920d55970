/** `features`: list, show, label and tag the features of an autoencoder. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { FeatureSort, LabelScore } from '../../shared/domain'
import type { FeatureDetail, FeatureRow, LogitToken, Neighbour, Partner } from '../../shared/domain'
import { addCompareCommand } from './compare'
import { contextLine, inPercent, oneLine } from './feature-lines'
import { findSae, toNumber } from './find'
import { bestNeuronLine } from './neurons'
import { pageOf, toLimit } from './paged'
import type { RunCommand } from './run-command'
import type { Session } from './session'
import { tagsNamed } from './tags'

type ListOptions = {
  sae?: string
  text: string
  contexts: string
  sort: FeatureSort
  descending?: boolean
  alive?: boolean
  labelled?: boolean
  unlabelled?: boolean
  score?: number
  tag: string[]
  density?: Range
  max?: Range
  mean?: Range
  limit: number
  offset: number
}
type Range = { from: number | null; to: number | null }

/** `0.1..2`, `..2`, `0.1..`. @throws InvalidArgumentError */
function toRange(text: string): Range {
  const match = /^([0-9.e+-]*?)\.\.([0-9.e+-]*)$/i.exec(text)
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? ''].map((end) => (end === '' ? null : Number(end)))
  if (!match || Number.isNaN(from) || Number.isNaN(to))
    throw new InvalidArgumentError('A range is FROM..TO, for instance 0.1..2')
  return { from: from ?? null, to: to ?? null }
}

/** @throws InvalidArgumentError */
function toScore(text: string): number {
  const score = LabelScore.safeParse(toNumber(text))
  if (!score.success) throw new InvalidArgumentError('It is a whole number from 0 to 3.')
  return score.data
}

const SHOWN_CONTEXTS = 5
/** A share that was given in percent. */
const percent = (value: number | null | undefined) => (value == null ? null : value / 100)

const rowLine = ({ featureIndex, density, maxActivation, label, topToken, peakSpans, tags }: FeatureRow): string => {
  const name = label ?? JSON.stringify(topToken ?? '')
  const marks = tags.map((tag) => `#${tag.name}`).join(' ')
  return `${featureIndex}\t${inPercent(density)}\t${maxActivation.toFixed(2)}\t${name}\t${marks}\t${oneLine(peakSpans)}`
}

const relatedLine = (figure: string, { featureIndex, density, label, topToken }: Omit<Neighbour, 'cosine'>): string =>
  `${featureIndex}\t${figure}\t${inPercent(density)}\t${label ?? JSON.stringify(topToken ?? '')}`
const neighbourLine = (one: Neighbour): string => relatedLine(one.cosine.toFixed(3), one)
const partnerLine = (one: Partner): string => relatedLine(inPercent(one.share), one)

const logitLine = (sign: string, tokens: readonly LogitToken[]) =>
  `  ${sign} ${tokens.map(({ text, weight }) => `${JSON.stringify(text)} ${weight.toFixed(2)}`).join('  ')}`

function detailLines(feature: FeatureDetail): string[] {
  const contexts = feature.contexts.slice(0, SHOWN_CONTEXTS).map(contextLine)
  const intervals = feature.intervals.map(
    ({ from, to, firedTokens, contexts: [first] }) =>
      `  ${from.toFixed(2)}-${to.toFixed(2)}\t${inPercent(firedTokens / Math.max(1, feature.firedTokens))}${first ? contextLine(first) : ''}`,
  )
  const labels = feature.labels.map(
    ({ text, author, chosen, score }) =>
      `  ${chosen ? '*' : ' '} ${text}${author && ` (${author})`}${score === null ? '' : ` ${score}/3`}`,
  )
  const safety = feature.safety.map(({ category, reason }) => `  ! ${category}: ${reason}`)
  const { logits } = feature.weights
  const effects = logits ? [logitLine('+', logits.top), logitLine('-', logits.bottom)] : []
  return [rowLine(feature), ...labels, ...safety, ...contexts, ...intervals, ...effects]
}

type NeighbourOptions = { sae?: string; together?: boolean; across?: boolean }

/** How a feature splits: the nearest features of every other autoencoder of the same model and hook. */
async function across({ client, out }: Session, place: { saeId: number; featureIndex: number }): Promise<void> {
  const { others, leftOut } = await client.call('features.across', place)
  for (const { name, why } of leftOut) out.note(out.say(why === 'atlas' ? 'acrossNoAtlas' : 'acrossNoFile', { name }))
  if (others.length + leftOut.length === 0) out.note(out.say('acrossNone', {}))
  const rows = others.flatMap(({ neighbours: found, ...sae }) => found.map((one) => ({ ...one, ...sae })))
  out.list(rows, (row) => `${row.saeId}\t${row.name}\t${row.dSae}\t${neighbourLine(row)}`)
}

async function neighbours(session: Session, index: string, options: NeighbourOptions): Promise<void> {
  const { id: saeId } = await findSae(session, options.sae)
  if (options.across) return across(session, { saeId, featureIndex: toNumber(index) })
  const { weights, together } = await session.client.call('features.get', { saeId, featureIndex: toNumber(index) })
  if (options.together) session.out.list(together.features, partnerLine)
  else session.out.list(weights.neighbours, neighbourLine)
}

async function list({ client, out, ...session }: Session, options: ListOptions): Promise<void> {
  const sae = await findSae({ client, out, ...session }, options.sae)
  const { sort, limit, offset, text, contexts, density, max, mean } = options
  const filter = {
    ...{
      text,
      contexts,
      tagIds: (await tagsNamed({ client, out, ...session }, sae.id, options.tag)).map(({ id }) => id),
      listIds: [],
    },
    ...{ minDensity: percent(density?.from), maxDensity: percent(density?.to) },
    ...{ minMax: max?.from ?? null, maxMax: max?.to ?? null, minMean: mean?.from ?? null, maxMean: mean?.to ?? null },
    minScore: options.score ?? null,
    state: options.alive ? 'alive' : 'any',
    labelled: options.labelled ? 'yes' : options.unlabelled ? 'no' : 'any',
  } as const
  const descending = options.descending === true
  const page = await pageOf({ limit, offset }, (part) =>
    client.call('features.list', { saeId: sae.id, filter, sort, descending, ...part }),
  )
  const matching = page.isMore ? await client.call('features.count', { saeId: sae.id, filter }) : page.matching
  out.note(out.say('featureCount', { matching, total: page.total, alive: page.alive }))
  out.list(page.rows, rowLine)
}

type LabelOptions = { sae?: string; author: string; score?: number }

async function putLabel(
  session: Session,
  { index, text }: { index: string; text: string },
  { sae, author, score }: LabelOptions,
): Promise<void> {
  const { client, out } = session
  const { id: saeId } = await findSae(session, sae)
  const place = { saeId, featureIndex: toNumber(index) }
  let labels = await client.call('features.label', { ...place, text, author })
  const chosen = labels.find((label) => label.chosen)
  if (chosen && score !== undefined) {
    labels = await client.call('features.score', { ...place, labelId: chosen.id, score })
  }
  const line = chosen ? out.say('labelled', { index, text: chosen.text }) : out.say('unlabelled', { index })
  out.result({ featureIndex: place.featureIndex, labels }, line)
}

export function addFeatureCommands(program: Command, run: RunCommand): void {
  const features = program.command('features').description('features of an autoencoder')
  const command = (usage: string, description: string) =>
    features.command(usage).description(description).option('--sae <id or name>', 'the newest unless given')
  command('list', 'list features')
    .option('--text <part>', 'part of the label', '')
    .option('--contexts <words>', 'words of the strongest contexts, the last of which may go on', '')
    .option('--tag <name...>', 'only features with all of these tags', [])
    .option('--density <from..to>', 'share of tokens in percent, for instance 0.1..2 or ..0.5', toRange)
    .option('--max <from..to>', 'largest activation', toRange)
    .option('--mean <from..to>', 'mean of the activations above zero', toRange)
    .addOption(new Option('--sort <by>', 'what to sort by').choices(FeatureSort.options).default('index'))
    .option('--descending', 'largest first')
    .option('--alive', 'only features that fire')
    .option('--labelled', 'only features with a label')
    .option('--unlabelled', 'only features without a label')
    .option('--score <0-3>', 'only features whose label was judged to fit so well or better', toScore)
    .option('--limit <rows>', 'rows to print', toLimit, 50)
    .option('--offset <rows>', 'rows to skip', toNumber, 0)
    .action((options: ListOptions) => run((session) => list(session, options)))
  command('show <index>', 'show one feature with its contexts').action((index: string, options: { sae?: string }) =>
    run(async (session) => {
      const { id: saeId } = await findSae(session, options.sae)
      const place = { saeId, featureIndex: toNumber(index) }
      const feature = await session.client.call('features.get', place)
      const neuron = await session.client.call('neurons.feature', place)
      const lines = [...detailLines(feature), bestNeuronLine(session.out, neuron)]
      session.out.result({ ...feature, neuron: neuron.best }, lines)
    }),
  )
  command('neighbors <index>', 'list the features that write in the most similar direction')
    .option('--together', 'those that are active on the same tokens instead')
    .option('--across', 'those of every other autoencoder of the same model and hook instead')
    .action((index: string, options: NeighbourOptions) => run((session) => neighbours(session, index, options)))
  addCompareCommand(features, run)
  command('label <index> <text>', 'label a feature; an empty text takes the label away')
    .option('--author <name>', 'who says so', '')
    .option('--score <0-3>', 'how well it fits: 0 not at all, 1 vaguely, 2 loosely, 3 cleanly', toScore)
    .action((index: string, text: string, options: LabelOptions) =>
      run((session) => putLabel(session, { index, text }, options)),
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
