/** The one logger of the main process: JSON lines into the workspace's log file, and the one door to stderr. */
import pino, { type Logger } from 'pino'

export type Log = Logger

/**
 * Opens the log of a workspace. Lines are written at once, so that the last line before a crash is there.
 * @param file absolute path of the log file
 */
export function openLog(file: string): Log {
  const level = process.env.MONOSCOPE_LOG ?? 'info'
  return pino(
    { level, base: { pid: process.pid } },
    pino.destination({ dest: file, append: true, sync: true, mkdir: true }),
  )
}

/** A logger that keeps nothing, for parts opened without a workspace. */
export const silentLog = (): Log => pino({ level: 'silent' })

/** Writes one line for people to stderr; results never go there. */
export function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}
