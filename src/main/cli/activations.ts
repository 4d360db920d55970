/** `activations`: what a model computes over a text, kept on disk to train on. */
import type { Command } from 'commander'
import type { ActivationSet } from '../../shared/domain'
import { collect, findDataset, findModel, toNumber } from './find'
import { followJob } from './follow'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import type { Session } from './session'

const DEFAULT_TOKENS = 1_000_000
const DEFAULT_CONTEXT = 128

type CollectOptions = {
  model?: string
  dataset?: string
  name?: string
  hook: string[]
  tokens: number
  context?: number
  seed: number
}

const setLine = (out: Output, set: ActivationSet): string =>
  out.say('activationSet', {
    ...{ id: set.id, name: set.name, state: set.state, hooks: set.hookNames.join(', ') },
    ...{ tokens: set.storedTokens.toLocaleString('en-US'), bytes: set.bytes.toLocaleString('en-US') },
  })

async function collectSet(session: Session, options: CollectOptions): Promise<number> {
  const { client, out, signal } = session
  const { id: modelId, contextSize } = await findModel(session, options.model)
  const { id: datasetId } = await findDataset(session, options.dataset)
  const { hook: hookNames, tokens, seed, name } = options
  const context = options.context ?? Math.min(DEFAULT_CONTEXT, contextSize)
  const wanted = { modelId, datasetId, hookNames, tokens, contextSize: context }
  const quote = await client.call('activations.quote', wanted, signal)
  const figures = Object.entries(quote).map(([key, value]) => [key, value.toLocaleString('en-US')])
  out.note(out.say('activationQuote', Object.fromEntries(figures) as Record<keyof typeof quote, string>))
  const set = await client.call('activations.start', { ...wanted, seed, ...(name === undefined ? {} : { name }) })
  const job = set.jobId === null || set.state === 'done' ? null : await followJob(session, set.jobId)
  const stored = (await client.call('activations.list', {})).find(({ id }) => id === set.id) ?? set
  out.result(stored, setLine(out, stored))
  return job === null || job.state === 'done' ? 0 : STOPPED
}

export function addActivationCommands(program: Command, run: RunCommand): void {
  const activations = program.command('activations').description('activations on disk, to train on')
  activations
    .command('collect')
    .description(
      'run a model over a dataset once and keep what it computes; asked again, it goes on where it was stopped',
    )
    .option('--model <id or name>', 'the newest unless given')
    .option('--dataset <id or name>', 'the newest unless given')
    .option('--name <name>', 'what to call the set')
    .requiredOption('--hook <name>', 'hook point, for instance blocks.2.hook_resid_post; may be given again', collect)
    .option('--tokens <tokens>', 'tokens to train on', toNumber, DEFAULT_TOKENS)
    .option('--context <tokens>', 'tokens per context window', toNumber)
    .option('--seed <seed>', 'seed of the order of the text and of what is held out', toNumber, 0)
    .action((options: CollectOptions) => run((session) => collectSet(session, options)))
  activations
    .command('list')
    .description('list the sets, newest first')
    .action(() =>
      run(async ({ client, out }) => out.list(await client.call('activations.list', {}), (set) => setLine(out, set))),
    )
  activations
    .command('remove <id>')
    .description('delete a set and its files')
    .action((id: string) =>
      run(async ({ client, out }) => {
        await client.call('activations.remove', { activationsId: toNumber(id) })
        out.result({ removed: toNumber(id) }, out.say('activationsRemoved', { id }))
      }),
    )
}
