/** `serve`: the page for a browser on this machine, until Ctrl-C. */
import type { Command } from 'commander'
import { createOutput } from './output'
import { languageOf, wholeNumber, workspaceOf, type GlobalOptions } from './session'
import { wordsIn } from './words'

/** A served page, ours or that of the process that owns the workspace already. */
export type Served = { address: string; ownerPid: number | null; close(): Promise<void> }
export type Serve = (workspace: string, port: number) => Promise<Served>

/** Resolves at the first Ctrl-C or kill. */
export const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })

export function addServeCommand(program: Command, serve: Serve): void {
  program
    .command('serve')
    .description('serve the app to a browser on this machine')
    .option('--port <n>', 'port, any free one unless given', '0')
    .action(async (options: { port: string }, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>()
      const words = wordsIn(languageOf(global))
      const out = createOutput(global.json === true, languageOf(global))
      try {
        const workspace = workspaceOf(global)
        const { address, ownerPid, close } = await serve(workspace, wholeNumber('--port', options.port))
        const line =
          ownerPid === null
            ? words('serving', { address })
            : words('servedElsewhere', { address, pid: String(ownerPid) })
        out.result({ address, workspace, pid: ownerPid ?? process.pid }, line.split('\n'))
        if (ownerPid === null) await untilInterrupted()
        await close()
      } catch (error) {
        out.failure(error)
        process.exitCode = 1
      }
    })
}
