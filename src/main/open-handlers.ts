/** Handlers for a workspace, whoever owns it: this process, or the one that has it open already. */
import type { MonoscopeHandlers } from '../shared/contract'
import { AppError } from '../shared/errors'
import { findOwner, openMonoscope, type MonoscopeOptions } from './monoscope'
import { connectToHost } from './web/client'
import { forwardTo } from './web/forward'

export type OpenedHandlers = {
  handlers: MonoscopeHandlers
  /** False while another process owns the workspace. */
  isOwner: boolean
  onUnexpected: (error: unknown, name: string) => void
  close(): Promise<void>
  /** Resolves when the owner has gone; never for the owner itself. */
  lost: Promise<void>
}

/**
 * Opens the workspace, or connects to its owner.
 * @throws AppError as `openMonoscope` does, but not `workspace-open`
 */
export async function openHandlers(options: MonoscopeOptions): Promise<OpenedHandlers> {
  try {
    const { handlers, onUnexpected, close } = await openMonoscope(options)
    return { handlers, isOwner: true, onUnexpected, close, lost: new Promise(() => undefined) }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'workspace-open') throw error
  }
  const owner = await findOwner(options.folder)
  // The owner may have closed between the two looks at its lock; then the workspace is free.
  if (!owner) return openHandlers(options)
  const { client, close, closed } = await connectToHost(owner)
  return {
    handlers: forwardTo(client),
    isOwner: false,
    onUnexpected: () => undefined,
    lost: closed,
    close: () => {
      close()
      return Promise.resolve()
    },
  }
}
