/** `features compare`: two features beside each other, and what each does where the other fires most. */
import type { Command } from 'commander'
import { sampledShare } from '../../shared/domain'
import type { Comparison, Context, Counterpart, FeatureDetail } from '../../shared/domain'
import { contextLine, inPercent } from './feature-lines'
import { findSae, toNumber } from './find'
import type { RunCommand } from './run-command'
import type { Session } from './session'

type CompareOptions = { sae?: string; otherSae?: string }

const figureLine = (name: string, one: number, other: number, digits: (value: number) => string): string =>
  `${name}\t${digits(one)}\t${digits(other)}`

const nameOf = ({ label, topToken }: FeatureDetail) => label ?? JSON.stringify(topToken ?? '')

function lines({ out }: Session, pair: { one: FeatureDetail; other: FeatureDetail }, found: Comparison): string[] {
  const { one, other } = pair
  const fixed = (value: number) => value.toFixed(3)
  const contexts = (title: string, own: readonly Context[], counterparts: readonly Counterpart[]) => [
    title,
    ...counterparts.map((counterpart, at) => {
      const context = own[at]
      return context ? `  ${counterpart.value.toFixed(2)}${contextLine(context)}` : ''
    }),
  ]
  const share = (from: FeatureDetail, to: FeatureDetail) => {
    const known = sampledShare(from, to)
    return known === null ? '-' : inPercent(known)
  }
  const { tokens, firedOne, firedOther, firedBoth, correlation } = found
  return [
    `${out.say('compareFeature')}\t${one.featureIndex}\t${other.featureIndex}`,
    `${out.say('compareName')}\t${nameOf(one)}\t${nameOf(other)}`,
    figureLine(out.say('compareDensity'), one.density, other.density, inPercent),
    figureLine(out.say('compareMax'), one.maxActivation, other.maxActivation, fixed),
    figureLine(out.say('compareMean'), one.meanActivation, other.meanActivation, fixed),
    figureLine(out.say('compareEncoder'), one.weights.encoderCosine, other.weights.encoderCosine, fixed),
    `${out.say('compareShare')}\t${share(one, other)}\t${share(other, one)}`,
    `${out.say('compareCosine')}\t${found.cosine === null ? '-' : fixed(found.cosine)}`,
    out.say('compareRead', {
      tokens,
      firedOne,
      firedOther,
      firedBoth,
      r: correlation === null ? '-' : fixed(correlation),
    }),
    ...contexts(out.say('compareOne', { index: one.featureIndex }), one.contexts, found.one),
    ...contexts(out.say('compareOther', { index: other.featureIndex }), other.contexts, found.other),
  ]
}

async function compare(session: Session, [first, second]: readonly [string, string], options: CompareOptions) {
  const { client, out, signal } = session
  const sae = await findSae(session, options.sae)
  const otherSae = options.otherSae === undefined ? sae : await findSae(session, options.otherSae)
  const one = { saeId: sae.id, featureIndex: toNumber(first) }
  const other = { saeId: otherSae.id, featureIndex: toNumber(second) }
  const found = await client.call('features.compare', { one, other }, signal)
  const pair = { one: await client.call('features.get', one), other: await client.call('features.get', other) }
  out.result({ ...found, features: pair }, lines(session, pair, found))
}

/** Adds the command to `features`. */
export function addCompareCommand(features: Command, run: RunCommand): void {
  features
    .command('compare <index> <other>')
    .description('two features beside each other, and what each does where the other fires most')
    .option('--sae <id or name>', 'the newest unless given')
    .option('--other-sae <id or name>', 'autoencoder of the second feature, that of the first unless given')
    .action((one: string, other: string, options: CompareOptions) =>
      run((session) => compare(session, [one, other], options)),
    )
}
