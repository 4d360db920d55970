/** Keeps a main process alive through errors that nobody caught: it holds the workspace and its jobs, so it reports them and goes on. */
import { sayOnStderr } from './log'

const text = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Call once per process, before anything is opened. */
export function surviveUncaughtErrors(): void {
  // Whoever read it has gone: without this, each report of that error would be such an error again, without an end.
  process.stderr.on('error', () => undefined)
  const report = (error: unknown) => sayOnStderr(`monoscope: unexpected error, going on: ${text(error)}`)
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
  // Node would open its debugger on a loopback port, for every program of this machine.
  process.on('SIGUSR1', () => undefined)
}
