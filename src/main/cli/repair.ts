/** `repair`: a new database out of a damaged one. It opens no session, since the workspace cannot be opened. */
import type { Command } from 'commander'
import { repairWorkspace } from '../repair-workspace'
import type { RunCommand } from './run-command'

export function addRepairCommand(command: Command, run: RunCommand): void {
  command
    .command('repair')
    .description(
      'make a new database out of a damaged one, with all that can be read and the newest copy of labels, tags and notes',
    )
    .action(() =>
      run.without(async ({ out, folder }) => {
        const repaired = await repairWorkspace(folder)
        const { keptAs, rows, fromCopy } = repaired
        const counts = ['label', 'feature_tag', 'note', 'list', 'safety_flag', 'saved_view', 'run', 'sae']
        const values = Object.fromEntries(counts.map((table) => [table, rows[table] ?? 0]))
        out.result(repaired, [
          out.say('repaired', { ...values, fromCopy }),
          ...(keptAs === null ? [] : [out.say('repairedKept', { keptAs })]),
        ])
      }),
    )
}
