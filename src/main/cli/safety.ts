/** `safety`: put features into categories with a reason, and list them. */
import { Argument, type Command } from 'commander'
import { SafetyCategory } from '../../shared/domain'
import { findSae, toNumber } from './find'
import type { RunCommand } from './run-command'

export function addSafetyCommands(program: Command, run: RunCommand): void {
  const safety = program.command('safety').description('safety review')
  safety
    .command('tag <index>')
    .description('put a feature into a category')
    .addArgument(new Argument('<category>').choices(SafetyCategory.options))
    .requiredOption('--reason <text>', 'why it belongs there')
    .option('--sae <id or name>', 'the newest unless given')
    .action((index: string, given: string, { sae, reason }: { sae?: string; reason: string }) =>
      run(async (session) => {
        const { client, out } = session
        const { id: saeId } = await findSae(session, sae)
        const category = SafetyCategory.parse(given)
        const flag = await client.call('safety.assign', { saeId, featureIndex: toNumber(index), category, reason })
        out.result(flag, out.say('flagged', { index, category, reason: flag.reason }))
      }),
    )
  safety
    .command('list')
    .description('features of a category, or how many each category holds')
    .addArgument(new Argument('[category]').choices(SafetyCategory.options))
    .option('--sae <id or name>', 'the newest unless given')
    .action((given: string | undefined, { sae }: { sae?: string }) =>
      run(async (session) => {
        const { client, out } = session
        const { id: saeId } = await findSae(session, sae)
        if (given === undefined) {
          out.list(await client.call('safety.counts', { saeId }), ({ category, count }) => `${category}\t${count}`)
          return
        }
        const entries = await client.call('safety.list', { saeId, category: SafetyCategory.parse(given) })
        out.list(
          entries,
          ({ flag, feature }) => `${feature.featureIndex}\t${feature.label ?? feature.topToken ?? ''}\t${flag.reason}`,
        )
      }),
    )
}
