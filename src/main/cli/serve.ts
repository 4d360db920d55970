/** `serve`: the same app as a page on loopback, until Ctrl-C. */
import type { Command } from 'commander'
import type { MonoscopeHandlers } from '../../shared/contract'
import { openLasting } from '../lasting-handlers'
import { openHandlers, type OpenedHandlers } from '../open-handlers'
import { startHost } from '../web/host'
import { toPort } from './find'
import type { RunCommand } from './run-command'
import type { Program, Session } from './session'

/** Handlers of this workspace, or of the process that has it open for as long as it has. */
async function openFor(session: Session, program: Program): Promise<Pick<OpenedHandlers, 'handlers' | 'close'>> {
  const { own, folder } = session
  if (own) return { handlers: own.handlers, close: () => Promise.resolve() }
  const opened = await openLasting(() => openHandlers({ folder, ...program, host: 'cli' }))
  // The owner waits for commands, and a page may stay for days.
  await session.close()
  return opened
}

/** Handlers for a page in a browser. */
function pageHandlers(handlers: MonoscopeHandlers): MonoscopeHandlers {
  return {
    ...handlers,
    'app.info': async (input, signal) => ({
      ...(await handlers['app.info'](input, signal)),
      host: 'browser',
      hasDialogs: false,
    }),
    'app.choosePath': () => Promise.resolve(null),
  }
}

/** Serves until the session's signal fires. @param where the port, and the page that the address is to open */
export async function serveUntilStopped(
  session: Session,
  program: Program,
  { port = 0, page = '' }: { port?: number | undefined; page?: string } = {},
): Promise<void> {
  const { own, out, signal, folder } = session
  const opened = await openFor(session, program)
  const host = await startHost({
    handlers: pageHandlers(opened.handlers),
    rendererFolder: program.rendererFolder,
    port,
    ...(own ? { onUnexpected: own.onUnexpected } : {}),
  })
  const address = page === '' ? host.address : `${host.address}#/${page}`
  out.result({ address, port: host.port, workspace: folder }, out.say('serving', { address }))
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  await host.close()
  await opened.close()
}

export function addServeCommand(command: Command, run: RunCommand, program: Program): void {
  command
    .command('serve')
    .description('serve the app on 127.0.0.1 and print its address')
    .option('--port <port>', 'port; a free one unless given', toPort)
    .action(({ port }: { port?: number }) => run.lasting((session) => serveUntilStopped(session, program, { port })))
}
