/** `serve`: the same app as a page on loopback, until Ctrl-C. */
import type { Command } from 'commander'
import type { MonoscopeHandlers } from '../../shared/contract'
import { forwardTo } from '../web/forward'
import { startHost } from '../web/host'
import { toPort } from './find'
import type { RunCommand } from './run-command'
import type { Program, Session } from './session'

/** Handlers for a page in a browser: its own workspace's, or those of the process that has it open. */
function pageHandlers({ own, client }: Session): MonoscopeHandlers {
  const handlers = own?.handlers ?? forwardTo(client)
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
  const host = await startHost({
    handlers: pageHandlers(session),
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
}

export function addServeCommand(command: Command, run: RunCommand, program: Program): void {
  command
    .command('serve')
    .description('serve the app on 127.0.0.1 and print its address')
    .option('--port <port>', 'port; a free one unless given', toPort)
    .action(({ port }: { port?: number }) => run((session) => serveUntilStopped(session, program, { port })))
}
