/**
 * The page's way to the main process: Electron IPC where the preload script is, else a WebSocket that reconnects by itself.
 * Calls made while the socket is down wait for it; feeds end with `connection-lost` and are asked again by whoever needs them.
 */
import { ref, type Ref } from 'vue'
import type { MonoscopeClient, MonoscopeContract } from '../../shared/contract'
import { AppError } from '../../shared/errors'
import { connect, type Wire } from '../../shared/wire'
import { packFrame, unpackFrame } from './frames'

const TOKEN_KEY = 'monoscope-token'
const RETRY_MS = [250, 500, 1000, 2000, 4000]

export type ConnectionState = 'connecting' | 'open' | 'lost'
const state = ref<ConnectionState>('connecting')
/** Whether the main process can be asked; shown in the status bar. */
export const connectionState: Readonly<Ref<ConnectionState>> = state

/** The launch's token: given once in the address, kept for reloads of this tab, and taken out of sight. */
function takeToken(): string {
  const url = new URL(location.href)
  const given = url.searchParams.get('token')
  if (given !== null) {
    sessionStorage.setItem(TOKEN_KEY, given)
    url.searchParams.delete('token')
    history.replaceState(history.state, '', url)
  }
  return given ?? sessionStorage.getItem(TOKEN_KEY) ?? ''
}

function bridgeClient(bridge: MonoscopeBridge): MonoscopeClient {
  state.value = 'open'
  return connect<MonoscopeContract>({
    send: (message) => bridge.send(message),
    onMessage: (listener) => bridge.onMessage(listener),
    // The window and its main process end together.
    onClose: () => undefined,
  })
}

/** A socket as a wire; closes itself on a frame that is none. */
function socketWire(socket: WebSocket): Wire {
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array(packFrame(message)))
    },
    onMessage: (listener) => {
      socket.addEventListener('message', (event: MessageEvent<ArrayBuffer>) => {
        try {
          listener(unpackFrame(new Uint8Array(event.data)))
        } catch (error) {
          socket.close()
          throw error
        }
      })
    },
    onClose: (listener) => socket.addEventListener('close', () => listener()),
  }
}

/** One client that outlives its sockets. */
function socketClient(address: string): MonoscopeClient {
  let current = openSocket(0)

  function openSocket(attempt: number): Promise<MonoscopeClient> {
    return new Promise((resolve) => {
      const socket = new WebSocket(address)
      socket.binaryType = 'arraybuffer'
      let isOpen = false
      socket.addEventListener('open', () => {
        isOpen = true
        state.value = 'open'
        resolve(connect<MonoscopeContract>(socketWire(socket)))
      })
      socket.addEventListener('close', () => {
        state.value = 'lost'
        const wait = RETRY_MS[Math.min(isOpen ? 0 : attempt, RETRY_MS.length - 1)]
        const next = new Promise<MonoscopeClient>((open) => {
          setTimeout(() => void openSocket(isOpen ? 0 : attempt + 1).then(open), wait)
        })
        if (isOpen) current = next
        else void next.then(resolve)
      })
    })
  }

  return {
    call: async (name, input, signal) => {
      const client = await current
      if (signal?.aborted) throw new AppError('cancelled')
      return client.call(name, input, signal)
    },
    feed: (name, input, onNext, onEnd) => {
      let isStopped = false
      let stop: () => void = () => undefined
      void current.then((client) => {
        if (!isStopped) stop = client.feed(name, input, onNext, onEnd)
      })
      return () => {
        isStopped = true
        stop()
      }
    },
  }
}

/** The one client of the page. */
export const client: MonoscopeClient = window.monoscope
  ? bridgeClient(window.monoscope)
  : socketClient(
      `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/wire?token=${encodeURIComponent(takeToken())}`,
    )
