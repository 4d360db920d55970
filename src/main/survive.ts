/** Keeps a main process alive through errors that nobody caught: it holds the workspace and its jobs, so it reports them and goes on. */
import { sayOnStderr } from './log'

const text = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Call once per process, before anything is opened. */
export function surviveUncaughtErrors(): void {
  const report = (error: unknown) => sayOnStderr(`monoscope: unexpected error, going on: ${text(error)}`)
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
  // Node would open its debugger on a loopback port, for every program of this machine.
  process.on('SIGUSR1', () => undefined)
}
