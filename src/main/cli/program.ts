/** The whole command line: global options and the groups. */
import { Command } from 'commander'
import { addDemoCommand } from './demo'
import { addFeatureCommands } from './features'
import { addLibraryCommands } from './library'
import { addServeCommand, type Serve } from './serve'
import type { OpenClient } from './session'
import { addTrainCommands } from './train'

/** Builds the program. `open` and `serve` are given by the entry, so that tests can give their own. */
export function createProgram(version: string, open: OpenClient, serve: Serve): Command {
  const program = new Command('monoscope')
    .description('Read the features inside open-weight language models with sparse autoencoders.')
    .version(version)
    .option('--workspace <folder>', 'workspace folder (default: MONOSCOPE_WORKSPACE, else ~/Monoscope)')
    .option('--json', 'one JSON object a line for each result')
    .option('--lang <language>', 'en or ko (default: from LANG)')
    .showHelpAfterError()
  addLibraryCommands(program, open)
  addTrainCommands(program, open)
  addFeatureCommands(program, open)
  addServeCommand(program, serve)
  addDemoCommand(program, { open, serve })
  return program
}
