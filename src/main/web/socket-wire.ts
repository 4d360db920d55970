/** The wire over a WebSocket, for either side. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import type { Wire } from '../../shared/wire'
import { packFrame, unpackFrame } from './frames'

const BAD_FRAME = 1007
/** A feed waits while more than this was sent and not taken. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
const DRAIN_LOOK_MS = 20

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}

/** A socket that is not open drops what is sent: its close tells both sides. A frame that cannot be read closes it. */
export function socketWire(socket: WebSocket): Wire {
  return {
    send(message) {
      if (socket.readyState === socket.OPEN) socket.send(packFrame(message))
    },
    onMessage(listener) {
      socket.on('message', (data, isBinary) => {
        let message: unknown
        try {
          if (!isBinary) throw new Error('text frame')
          message = unpackFrame(bytesOf(data))
        } catch {
          socket.close(BAD_FRAME, 'unreadable frame')
          return
        }
        listener(message)
      })
    },
    async drained() {
      while (socket.readyState === socket.OPEN && socket.bufferedAmount > MAX_WAITING_BYTES) await sleep(DRAIN_LOOK_MS)
    },
    onClose(listener) {
      socket.once('close', () => listener())
    },
  }
}
