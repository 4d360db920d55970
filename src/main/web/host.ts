/** The host of served mode and of the workspace's owner: static files, the wire over a WebSocket, on loopback with a token. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import sirv from 'sirv'
import { WebSocketServer } from 'ws'
import { contract, type MonoscopeHandlers } from '../../shared/contract'
import { AppError } from '../../shared/errors'
import { serve } from '../../shared/wire'
import { MAX_FRAME_BYTES } from './frames'
import { ALIVE_PATH, ALIVE_STATUS } from './probe'
import { hasOwnHost, hasOwnOrigin, isToken, ownHosts, setSecurityHeaders } from './security'
import { socketWire } from './socket-wire'

export { contentSecurityPolicy } from './security'
export const WIRE_PATH = '/wire'

export type HostOptions = {
  handlers: MonoscopeHandlers
  /** Folder of the built page; null serves no page, only the wire. */
  rendererFolder: string | null
  port?: number
  token?: string
  host?: string
  onUnexpected?: (error: unknown, name: string) => void
}

export type Host = {
  port: number
  token: string
  /** What to open in a browser. */
  address: string
  /** Closes every connection and waits until the port is free. */
  close(): Promise<void>
}

/** @throws AppError `port-taken`, `file-missing` when the page was not built */
export async function startHost(options: HostOptions): Promise<Host> {
  const { handlers, rendererFolder, port = 0, host = '127.0.0.1', onUnexpected } = options
  const token = options.token ?? randomBytes(24).toString('base64url')
  const page = rendererFolder === null ? null : pageOf(rendererFolder)
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  await listen(server, port, host)
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  const hosts = ownHosts(bound, host)
  server.on('request', (request, response) => answer(request, response, { hosts, token, page }))
  server.on('upgrade', (request, socket: Duplex, head) => {
    const refused = refusalOf(request, hosts, token)
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      // A socket error is always followed by its close, which ends the wire.
      webSocket.on('error', () => undefined)
      serve(socketWire(webSocket), contract, handlers, onUnexpected ? { onUnexpected } : {})
    })
  })
  return {
    port: bound,
    token,
    address: `http://127.0.0.1:${bound}/?token=${token}`,
    close: () => close(server, sockets),
  }
}

function pageOf(folder: string): Page {
  const path = join(folder, 'index.html')
  if (!existsSync(path)) throw new AppError('file-missing', { path })
  return sirv(folder, { etag: true, single: true, dotfiles: false })
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = 'code' in error ? String(error.code) : ''
      const isTaken = code === 'EADDRINUSE' || code === 'EACCES'
      reject(isTaken ? new AppError('port-taken', { port: String(port), reason: code }, { cause: error }) : error)
    })
    server.listen(port, host, resolve)
  })
}

type Page = ReturnType<typeof sirv>
type AnswerOptions = { hosts: ReadonlySet<string>; token: string; page: Page | null }

function answer(request: IncomingMessage, response: ServerResponse, { hosts, token, page }: AnswerOptions): void {
  setSecurityHeaders(response)
  const end = (status: number) => {
    response.statusCode = status
    response.end()
  }
  if (!hasOwnHost(request, hosts)) return end(403)
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname === ALIVE_PATH) return end(isToken(url.searchParams.get('token'), token) ? ALIVE_STATUS : 403)
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(405)
  if (page) page(request, response, () => end(404))
  else end(404)
}

/** Why an upgrade is refused, as a status line, or null when it may pass. */
function refusalOf(request: IncomingMessage, hosts: ReadonlySet<string>, token: string): string | null {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname !== WIRE_PATH) return '404 Not Found'
  const isOurs =
    hasOwnHost(request, hosts) && hasOwnOrigin(request, hosts) && isToken(url.searchParams.get('token'), token)
  return isOurs ? null : '403 Forbidden'
}

function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
