/** Entry without a window: the command line and the server. */
import { join } from 'node:path'
import { version } from '../../package.json'
import { runCommandLine } from './cli/program'
import { sayOnStderr } from './log'
import { surviveUncaughtErrors } from './survive'

surviveUncaughtErrors()
const stop = new AbortController()
/** The first Ctrl-C asks for a clean end, the second ends at once; the worker leaves when its channel closes. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130)
  stop.abort()
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
// A terminal that is closed: running jobs write their checkpoint and the lock is given back, as at Ctrl-C.
process.on('SIGHUP', onSignal)
// Whoever read our results has gone, for instance `head`: nothing more needs to be printed.
process.stdout.on('error', onSignal)

const folder = import.meta.dirname
const program = {
  entryPath: import.meta.filename,
  workerPath: join(folder, 'worker.js'),
  rendererFolder: join(folder, '../renderer'),
  demoFolder: join(folder, '../../resources/demo'),
  version,
}
try {
  process.exitCode = await runCommandLine(process.argv.slice(2), program, stop.signal)
} catch (error) {
  sayOnStderr(`monoscope: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  process.exitCode = 1
}
process.off('SIGINT', onSignal)
process.off('SIGTERM', onSignal)
process.off('SIGHUP', onSignal)
