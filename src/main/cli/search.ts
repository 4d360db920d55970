/** `search prompts`: features that fire on every positive prompt and on no negative one. */
import type { Command } from 'commander'
import { oneLine } from './feature-lines'
import { collect, findSae, toNumber } from './find'
import type { RunCommand } from './run-command'

type SearchOptions = { sae?: string; positive: string[]; negative: string[]; maxDensity: number; limit: number }

export function addSearchCommands(program: Command, run: RunCommand): void {
  program
    .command('search')
    .description('find features')
    .command('prompts')
    .description('features at the last token of every positive prompt and of no negative one')
    .requiredOption('-p, --positive <text>', 'a prompt they fire on; may be given again', collect)
    .option('-n, --negative <text>', 'a prompt they do not fire on; may be given again', collect, [])
    .option('--sae <id or name>', 'the newest unless given')
    .option('--max-density <share>', 'leave out features denser than this share of tokens', toNumber, 1)
    .option('--limit <hits>', 'hits to print', toNumber, 20)
    .action((options: SearchOptions) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: saeId } = await findSae(session, options.sae)
        const prompts = [
          ...options.positive.map((text) => ({ text, sign: 'positive' as const })),
          ...options.negative.map((text) => ({ text, sign: 'negative' as const })),
        ]
        const { maxDensity, limit } = options
        const found = await client.call('search.prompts', { saeId, prompts, maxDensity, limit }, signal)
        const { hits, matching } = found
        out.note(out.say('searched', { matching, took: out.took(found) }))
        out.list(hits, (hit) => {
          const values = hit.values.map((value) => value.toFixed(2)).join('\t')
          const { featureIndex, score, label, topToken, peakSpans } = hit
          const facts = [featureIndex, score.toFixed(3), label ?? '', JSON.stringify(topToken ?? '')].join('\t')
          return `${facts}\t${values}\t${oneLine(peakSpans)}`
        })
      }),
    )
}
