/** How a command group runs its commands: each in a session of its own, with an exit status. */
import type { Output } from './output'
import type { Session } from './session'
import type { TextName } from './texts'

/** Runs one command in a session; a number it resolves to is the exit status. `refuse` ends with a sentence and status 2. */
export type RunCommand = {
  (work: (session: Session) => Promise<unknown>): Promise<void>
  /** Runs a command that may go on for days; it owns the workspace itself, whatever `--stay` says. */
  lasting(work: (session: Session) => Promise<unknown>): Promise<void>
  refuse(sentence: TextName): Promise<void>
  /** Runs a command that needs no open workspace, only to know where it is. */
  without(work: (where: { out: Output; folder: string }) => Promise<void>): Promise<void>
}
