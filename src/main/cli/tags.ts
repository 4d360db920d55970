/** `tags`: list the tags of a workspace, and change their names, colours and categories. */
import type { Command } from 'commander'
import { AppError } from '../../shared/errors'
import type { CountedTag } from '../../shared/domain'
import { folded } from '../../shared/folding'
import { findSae, toNumber } from './find'
import type { RunCommand } from './run-command'
import type { Session } from './session'

type Changes = { name?: string; color?: number; category?: string }

const line = ({ name, color, category, count }: CountedTag): string => `${name}\t${category}\t${color}\t${count}`

/** Tags with those names, whatever their case. @throws AppError `not-found` for a name that no tag has */
export async function tagsNamed({ client }: Session, saeId: number, names: readonly string[]): Promise<CountedTag[]> {
  if (names.length === 0) return []
  const known = await client.call('tags.list', { saeId })
  return names.map((name) => {
    const tag = known.find((one) => folded(one.name) === folded(name.trim()))
    if (!tag) throw new AppError('not-found', { what: 'tag', id: name })
    return tag
  })
}

async function change(session: Session, wanted: string, changes: Changes): Promise<void> {
  const { id: saeId } = await findSae(session)
  const [tag] = await tagsNamed(session, saeId, [wanted])
  if (!tag) return
  const { id: tagId, name, color, category } = tag
  const changed = {
    ...tag,
    ...(await session.client.call('tags.change', { tagId, name, color, category, ...changes })),
  }
  session.out.result(changed, line(changed))
}

export function addTagCommands(program: Command, run: RunCommand): void {
  const tags = program.command('tags').description('list and change tags')
  tags
    .command('list')
    .description('name, category, colour and features of the autoencoder with it')
    .option('--sae <id or name>', 'whose features are counted, the newest unless given')
    .action(({ sae }: { sae?: string }) =>
      run(async (session) => {
        const { id: saeId } = await findSae(session, sae)
        session.out.list(await session.client.call('tags.list', { saeId }), line)
      }),
    )
  tags
    .command('change <tag>')
    .description('rename a tag, or give it another colour or category')
    .option('--name <name>', 'what it is called from now on')
    .option('--color <1-8>', 'its colour', toNumber)
    .option('--category <name>', 'what kind of tag it is, "language" for instance; an empty one takes it away')
    .action((tag: string, changes: Changes) => run((session) => change(session, tag, changes)))
}
