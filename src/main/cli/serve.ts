/** `serve`: the same app as a page on loopback, until Ctrl-C. */
import type { Command } from 'commander'
import { AppError } from '../../shared/errors'
import { startHost } from '../web/host'
import { toNumber } from './find'
import type { RunCommand } from './run-command'
import type { Program, Session } from './session'

/** Serves until the session's signal fires. */
export async function serveUntilStopped(session: Session, program: Program, port = 0): Promise<void> {
  const { own, out, signal, folder } = session
  if (!own) throw new AppError('workspace-open', { path: folder, pid: '-' })
  const { handlers, onUnexpected } = own
  const host = await startHost({ handlers, onUnexpected, rendererFolder: program.rendererFolder, port })
  out.result(
    { address: host.address, port: host.port, workspace: folder },
    out.say('serving', { address: host.address }),
  )
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await host.close()
}

export function addServeCommand(command: Command, run: RunCommand, program: Program): void {
  command
    .command('serve')
    .description('serve the app on 127.0.0.1 and print its address')
    .option('--port <port>', 'port; a free one unless given', toNumber)
    .action(({ port }: { port?: number }) => run((session) => serveUntilStopped(session, program, port)))
}
