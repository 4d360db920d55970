/** `text`: the features that are active on a text, over all of it or token by token. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { MonoscopeContract } from '../../shared/contract'
import { isOutside, rankOf } from '../../shared/text-rank'
import { findSae, toNumber } from './find'
import type { Output } from './output'
import type { RunCommand } from './run-command'

type TextReading = z.output<MonoscopeContract['text.features']['output']>
type TextOptions = { sae?: string; tokens?: boolean; limit: number }

const percent = (value: number, max: number) => (max > 0 ? `${((100 * value) / max).toFixed(0)}%` : '-')

/** How much of the text the autoencoder explains, and whether that is far less than of text it was judged on. */
function noteFit(out: Output, { explainedVariance, heldOut }: TextReading['fit']): void {
  if (explainedVariance === null) return
  const values = { ev: explainedVariance.toFixed(3), heldOut: heldOut?.toFixed(3) ?? '-' }
  out.note(out.say(isOutside(explainedVariance, heldOut) ? 'textOutside' : 'textFit', values))
}

export function addTextCommand(program: Command, run: RunCommand): void {
  program
    .command('text <text>')
    .description('features that are active on a text, strong and rare ones first')
    .option('--sae <id or name>', 'the newest unless given')
    .option('--tokens', 'for each token those that are active on it')
    .option('--limit <features>', 'features to print, of all or of each token', toNumber, 20)
    .action((text: string, options: TextOptions) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: saeId } = await findSae(session, options.sae)
        const answer = await client.call('text.features', { saeId, text }, signal)
        const { spans, starts, active, values, features, tokens } = answer
        out.note(out.say('textRead', { tokens, features: features.length, took: out.took(answer) }))
        noteFit(out, answer.fit)
        const nameOf = (label: string | null, topToken: string | null) => label ?? JSON.stringify(topToken ?? '')
        if (!options.tokens) {
          return out.list(features.slice(0, options.limit), (one) => {
            const { featureIndex, largest, maxActivation, label, topToken, firedTokens } = one
            const share = percent(largest, maxActivation)
            return `${featureIndex}\t${largest.toFixed(2)}\t${share}\t${firedTokens}\t${nameOf(label, topToken)}`
          })
        }
        const rows = spans.map((span, s) => ({
          token: span.text,
          ids: span.ids,
          features: Array.from({ length: (starts[s + 1] ?? 0) - (starts[s] ?? 0) }, (_, k) => (starts[s] ?? 0) + k)
            .flatMap((at) => {
              const feature = features[active[at] ?? -1]
              return feature ? [{ ...feature, value: values[at] ?? 0 }] : []
            })
            .sort((a, b) => rankOf(b.value, b) - rankOf(a.value, a) || a.featureIndex - b.featureIndex)
            .slice(0, options.limit),
        }))
        out.list(rows, ({ token, features: found }) => {
          const list = found.map(({ featureIndex, value }) => `${featureIndex}:${value.toFixed(2)}`)
          return `${JSON.stringify(token)}\t${list.join(' ')}`
        })
      }),
    )
}
