/** `export`: write the catalog of an autoencoder. */
import { type Command, Option } from 'commander'
import { findSae } from './find'
import type { RunCommand } from './run-command'
import { userPath } from './session'

type ExportOptions = { sae?: string; format: 'jsonl' | 'csv'; which: 'alive' | 'all' | 'labelled'; folder?: string }

export function addCatalogCommands(program: Command, run: RunCommand): void {
  program
    .command('export')
    .description('write features with labels, tags, safety flags, statistics and contexts')
    .addOption(new Option('--format <format>', 'file format').choices(['jsonl', 'csv']).default('jsonl'))
    .addOption(
      new Option('--which <features>', 'which features').choices(['alive', 'all', 'labelled']).default('alive'),
    )
    .option('--folder <folder>', "where to; the workspace's exports folder unless given")
    .option('--sae <id or name>', 'the newest unless given')
    .action(({ sae, format, which, folder }: ExportOptions) =>
      run(async (session) => {
        const { client, out, signal } = session
        const { id: saeId } = await findSae(session, sae)
        const target = folder === undefined ? {} : { folder: userPath(folder) }
        const written = await client.call('catalog.export', { saeId, format, which, ...target }, signal)
        out.result(written, out.say('exported', { features: written.features, path: written.path }))
      }),
    )
}
