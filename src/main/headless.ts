/** Entry without a window: the command line and the server. */
import { join } from 'node:path'
import { version } from '../../package.json'
import { runCommandLine } from './cli/program'

const stop = new AbortController()
/** The first Ctrl-C asks for a clean end, the second ends at once; the worker leaves when its channel closes. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130)
  stop.abort()
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
// Whoever read our results has gone, for instance `head`: nothing more needs to be printed.
process.stdout.on('error', onSignal)

const folder = import.meta.dirname
const program = {
  workerPath: join(folder, 'worker.js'),
  rendererFolder: join(folder, '../renderer'),
  demoFolder: join(folder, '../../resources/demo'),
  version,
}
process.exitCode = await runCommandLine(process.argv.slice(2), program, stop.signal)
process.off('SIGINT', onSignal)
process.off('SIGTERM', onSignal)
