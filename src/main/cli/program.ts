/** The command line: global options, one session per command, and exit statuses. */
import { Command, CommanderError, Option } from 'commander'
import { addActivationCommands } from './activations'
import { addCatalogCommands } from './catalog'
import { addDemoCommand } from './demo'
import { addEvaluateCommand } from './evaluate'
import { addFeatureCommands } from './features'
import { addHubCommands } from './hub'
import { addDatasetCommands } from './datasets'
import { Output } from './output'
import { addLmCommands } from './lm'
import { addMapCommand } from './map'
import { addModelCommands } from './models'
import { addNeuronCommand } from './neurons'
import { addTagCommands } from './tags'
import { addRepairCommand } from './repair'
import { addRunCommands } from './runs'
import { addSafetyCommands } from './safety'
import { addSearchCommands } from './search'
import { addServeCommand } from './serve'
import { languageOf, openSession, workspaceFolder, type GlobalOptions, type Program, type Session } from './session'
import type { RunCommand } from './run-command'
import { addOwnerCommand, startStaying, toSeconds } from './stay'
import { addTextCommand } from './text'
import type { TextName } from './texts'

const FAILED = 1
const USAGE = 2

type Ending = { status: number }

/** Where it is asked for, a process of its own becomes the owner, and this command its guest. */
async function stay(options: GlobalOptions, program: Program, out: Output): Promise<void> {
  const seconds = options.stay ?? 0
  if (seconds === 0) return
  const pid = await startStaying(workspaceFolder(options), seconds, program)
  if (pid !== null) out.note(out.say('staying', { pid, seconds }))
}

function runner(command: Command, program: Program, signal: AbortSignal): { run: RunCommand; ending: Ending } {
  const ending: Ending = { status: 0 }
  const options = () => command.opts<GlobalOptions>()
  const inSession = async (work: (session: Session) => Promise<unknown>, stays: boolean) => {
    const out = new Output(options().json === true, languageOf(options()))
    try {
      if (stays) await stay(options(), program, out)
      const session = await openSession(options(), program, signal)
      try {
        const status = await work(session)
        ending.status = typeof status === 'number' ? status : 0
      } finally {
        await session.close()
      }
    } catch (error) {
      if (error instanceof CommanderError) throw error
      out.error(error)
      ending.status = FAILED
    }
  }
  const refuse = (sentence: TextName) => {
    const out = new Output(options().json === true, languageOf(options()))
    if (options().json) out.result({ error: { code: 'usage', message: out.say(sentence), details: {} } }, '')
    else out.note(out.say(sentence))
    ending.status = USAGE
    return Promise.resolve()
  }
  const without = async (work: (where: { out: Output; folder: string }) => Promise<void>) => {
    const out = new Output(options().json === true, languageOf(options()))
    try {
      await work({ out, folder: workspaceFolder(options()) })
    } catch (error) {
      out.error(error)
      ending.status = FAILED
    }
  }
  const run = (work: (session: Session) => Promise<unknown>) => inSession(work, true)
  const lasting = (work: (session: Session) => Promise<unknown>) => inSession(work, false)
  return { run: Object.assign(run, { lasting, refuse, without }), ending }
}

/** All commands, with what the one that runs ends with. */
export function makeCommands(program: Program, signal: AbortSignal): { command: Command; ending: Ending } {
  const command = new Command('monoscope')
    .description('Reads the features inside open-weight language models with sparse autoencoders.')
    .version(program.version)
    .option('--workspace <folder>', 'the workspace; MONOSCOPE_WORKSPACE or ~/Monoscope unless given')
    .option('--json', 'print one JSON object per result')
    .addOption(
      new Option('--stay <seconds>', 'keep workspace and model for the next commands, until nobody asked for so long')
        .env('MONOSCOPE_STAY')
        .argParser(toSeconds),
    )
    .addOption(new Option('--lang <language>', 'language of what is said').choices(['en', 'ko']))
    .exitOverride()
  const { run, ending } = runner(command, program, signal)
  addModelCommands(command, run)
  addDatasetCommands(command, run)
  addHubCommands(command, run)
  addLmCommands(command, run)
  addActivationCommands(command, run)
  addRunCommands(command, run)
  addEvaluateCommand(command, run)
  addFeatureCommands(command, run)
  addMapCommand(command, run)
  addNeuronCommand(command, run)
  addTagCommands(command, run)
  addSearchCommands(command, run)
  addTextCommand(command, run)
  addSafetyCommands(command, run)
  addCatalogCommands(command, run)
  addRepairCommand(command, run)
  addServeCommand(command, run, program)
  addDemoCommand(command, run, program)
  addOwnerCommand(command, run)
  return { command, ending }
}

/**
 * Runs a command line.
 * @param args without the names of node and script
 * @param signal fires when the user wants it to stop
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped
 */
export async function runCommandLine(args: readonly string[], program: Program, signal: AbortSignal): Promise<number> {
  const { command, ending } = makeCommands(program, signal)
  try {
    await command.parseAsync([...args], { from: 'user' })
    return ending.status
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (args.includes('--json')) {
      new Output(true, 'en').result({ error: { code: 'usage', message: error.message, details: {} } }, '')
    }
    return USAGE
  }
}
