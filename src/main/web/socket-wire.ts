/** The wire over a WebSocket, for either side. */
import type { RawData, WebSocket } from 'ws'
import type { Wire } from '../../shared/wire'
import { packFrame, unpackFrame } from './frames'

const BAD_FRAME = 1007

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
    onClose(listener) {
      socket.once('close', () => listener())
    },
  }
}
