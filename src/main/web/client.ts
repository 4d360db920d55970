/** The asking side of a host in another process: the command line uses it while the app has the workspace open. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { MonoscopeClient, MonoscopeContract } from '../../shared/contract'
import { AppError } from '../../shared/errors'
import { connect } from '../../shared/wire'
import { MAX_FRAME_BYTES } from './frames'
import { COMMAND_GUEST, WIRE_PATH } from './host'
import { socketWire } from './socket-wire'

export type Connection = {
  client: MonoscopeClient
  close(): void
  /** Resolves when the connection has ended, whoever ended it. */
  closed: Promise<void>
}

/**
 * @param options `isCommand`: the asker is a command that ends soon, so that an owner which is about to leave waits for it
 * @throws AppError `connection-lost` when nobody answers there
 */
export async function connectToHost(
  { port, token }: { port: number; token: string },
  { isCommand = false }: { isCommand?: boolean } = {},
): Promise<Connection> {
  const guest = isCommand ? `&${COMMAND_GUEST.join('=')}` : ''
  const address = `ws://127.0.0.1:${port}${WIRE_PATH}?token=${encodeURIComponent(token)}${guest}`
  const socket = new WebSocket(address, { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  const client = connect<MonoscopeContract>(socketWire(socket))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  try {
    await once(socket, 'open')
  } catch (error) {
    throw new AppError('connection-lost', {}, { cause: error })
  }
  socket.on('error', () => undefined)
  return { client, close: () => socket.close(), closed }
}
