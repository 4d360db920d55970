/** One command's way to a workspace: its own, or over the wire when another process has it open. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { contract, type MonoscopeClient, type MonoscopeContract } from '../../shared/contract'
import { AppError, type Language } from '../../shared/errors'
import { connect, memoryWire, serve } from '../../shared/wire'
import { findOwner, openMonoscope, type Monoscope } from '../monoscope'
import { connectToHost } from '../web/client'
import { Output } from './output'

/** Where the built parts lie, as the entry knows. */
export type Program = {
  /** This very script. */
  entryPath: string
  workerPath: string
  rendererFolder: string
  demoFolder: string
  version: string
}

export type GlobalOptions = { workspace?: string; json?: boolean; lang?: string; stay?: number }

export type Session = {
  client: MonoscopeClient
  out: Output
  folder: string
  /** Fires at Ctrl-C. */
  signal: AbortSignal
  /** The rooms themselves, when this process owns the workspace. */
  own: Monoscope | null
  close(): Promise<void>
}

/** A path as the user meant it: npm runs scripts in another folder than the one it was called in. */
export const userPath = (path: string): string => {
  // Nobody means the folder one stands in by no name at all; what asks for a path refuses it.
  if (path.trim() === '') return ''
  // A shell leaves `~` as it is behind an equals sign or inside quotes.
  const whole = /^~(?=$|[\\/])/.test(path) ? join(homedir(), path.slice(1)) : path
  return resolve(process.env.INIT_CWD ?? process.cwd(), whole)
}

/** An empty name would be the folder one stands in, which nobody means. */
export const workspaceFolder = ({ workspace }: GlobalOptions): string =>
  userPath([workspace, process.env.MONOSCOPE_WORKSPACE].find((given) => given?.trim()) ?? join(homedir(), 'Monoscope'))

export function languageOf({ lang }: GlobalOptions): Language {
  const wanted = lang ?? process.env.LC_ALL ?? process.env.LANG ?? ''
  return wanted.toLowerCase().startsWith('ko') ? 'ko' : 'en'
}

/** @throws AppError what opening the workspace throws */
export async function openSession(options: GlobalOptions, program: Program, signal: AbortSignal): Promise<Session> {
  const out = new Output(options.json === true, languageOf(options))
  const folder = workspaceFolder(options)
  const own = await openOwn(folder, program)
  if (own) {
    const { client, close } = ownClient(own)
    const leave = async () => {
      await waitForCommands(own, out, signal)
      await close()
    }
    return { client, out, folder, signal, own, close: leave }
  }
  const owner = await findOwner(folder)
  if (!owner) throw new AppError('connection-lost')
  out.note(out.say('elsewhere', { pid: owner.pid }))
  const { client, close } = await connectToHost(owner, { isCommand: true })
  return { client, out, folder, signal, own: null, close: () => Promise.resolve(close()) }
}

/** Null when another process has the workspace open and answers. */
async function openOwn(folder: string, { workerPath, demoFolder, version }: Program): Promise<Monoscope | null> {
  try {
    return await openMonoscope({ folder, workerPath, demoFolder, version, host: 'cli' })
  } catch (error) {
    if (error instanceof AppError && error.code === 'workspace-open') return null
    throw error
  }
}

/** A command that asks this process gets its answer before the workspace is closed under it; Ctrl-C does not wait. */
async function waitForCommands(own: Monoscope, out: Output, signal: AbortSignal): Promise<void> {
  if (signal.aborted || own.commands() === 0) return
  out.note(out.say('waitingForCommands', { count: own.commands() }))
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([own.commandsGone(), stopped])
}

function ownClient(own: Monoscope): { client: MonoscopeClient; close(): Promise<void> } {
  const wire = memoryWire()
  serve(wire.b, contract, own.handlers, { onUnexpected: own.onUnexpected })
  const client = connect<MonoscopeContract>(wire.a)
  const close = async () => {
    await own.close()
    wire.close()
  }
  return { client, close }
}
