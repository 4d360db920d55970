/** What every command works with: the contract client, the output, and a signal that fires on Ctrl-C. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { MonoscopeClient } from '../../shared/contract'
import { AppError, type Language } from '../../shared/errors'
import { createOutput, type Output } from './output'
import { wordsIn, type Words } from './words'

export type Session = { client: MonoscopeClient; out: Output; words: Words; workspace: string; signal: AbortSignal }

/** How the entry opens a workspace: as its owner, or as the client of the process that is. */
export type OpenClient = (workspace: string) => Promise<{ client: MonoscopeClient; close(): Promise<void> }>

export type GlobalOptions = { workspace?: string; json?: boolean; lang?: string }

/** npm runs scripts in the package's folder; a path is meant where the person stands. */
export const fromHere = (path: string): string => resolve(process.env.INIT_CWD ?? process.cwd(), path)

export const workspaceOf = (options: GlobalOptions): string =>
  fromHere(options.workspace ?? process.env.MONOSCOPE_WORKSPACE ?? join(homedir(), 'Monoscope'))

export const languageOf = (options: GlobalOptions): Language =>
  (options.lang ?? process.env.LC_ALL ?? process.env.LANG ?? '').startsWith('ko') ? 'ko' : 'en'

/** An abort signal for Ctrl-C and kill; a second Ctrl-C ends the process at once. */
function interruptSignal(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const release = () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  return { signal: controller.signal, release }
}

/** Makes a command's action: opens the workspace, runs the body, prints its error, sets the exit code, closes. */
export function action<A extends unknown[]>(open: OpenClient, body: (session: Session, ...args: A) => Promise<void>) {
  return async (...args: unknown[]): Promise<void> => {
    // commander passes the arguments, the options, then the command.
    const command = args.at(-1) as Command
    const options = command.optsWithGlobals<GlobalOptions>()
    const language = languageOf(options)
    const out = createOutput(options.json === true, language)
    const { signal, release } = interruptSignal()
    try {
      const workspace = workspaceOf(options)
      const { client, close } = await open(workspace)
      try {
        await body({ client, out, words: wordsIn(language), workspace, signal }, ...(args.slice(0, -1) as A))
      } finally {
        await close()
      }
    } catch (error) {
      out.failure(error)
      process.exitCode = 1
    } finally {
      release()
    }
  }
}

/** Finds a thing by its id or name; without one, the newest. */
export function pick<T extends { id: number; name: string }>(what: string, things: T[], wanted: string | undefined): T {
  const found =
    wanted === undefined ? things.at(-1) : things.find((thing) => String(thing.id) === wanted || thing.name === wanted)
  if (!found) throw new AppError('not-found', { what, id: wanted ?? '1' })
  return found
}

/** A whole number from an option. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value))
    throw new AppError('invalid-input', { name, reason: `"${text}" is not a whole number` })
  return value
}

export function decimal(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new AppError('invalid-input', { name, reason: `"${text}" is not a number` })
  }
  return value
}
