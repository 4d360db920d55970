/** The host of served mode and of the workspace's owner: static files, the wire over a WebSocket, on loopback with a token. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import sirv from 'sirv'
import { WebSocketServer, type WebSocket } from 'ws'
import { contract, type MonoscopeHandlers } from '../../shared/contract'
import { AppError } from '../../shared/errors'
import { serve } from '../../shared/wire'
import { MAX_FRAME_BYTES } from './frames'
import { ALIVE_PATH, ALIVE_STATUS } from './probe'
import { hasOwnHost, hasOwnOrigin, isToken, ownNames, setSecurityHeaders } from './security'
import { socketWire } from './socket-wire'

export { contentSecurityPolicy } from './security'
export const WIRE_PATH = '/wire'
/** What a command says of itself as it connects: an owner that is about to leave waits for it. */
export const COMMAND_GUEST = ['guest', 'command'] as const
/** Paths are read against this; no request reaches it. */
const BASE = 'http://localhost'

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
  /** Commands of other processes that are connected. */
  commands(): number
  /** Resolves when no command of another process is connected. */
  commandsGone(): Promise<void>
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
  const names = ownNames(host)
  const commands = new Set<WebSocket>()
  const report = (error: unknown) => onUnexpected?.(error, 'http')
  server.on('request', (request, response) => {
    try {
      answer(request, response, { names, token, page })
    } catch (error) {
      report(error)
      if (!response.headersSent) response.statusCode = 500
      response.end()
    }
  })
  server.on('clientError', (_error, socket: Duplex) => refuse(socket, '400 Bad Request'))
  sockets.on('wsClientError', (_error, socket: Duplex) => refuse(socket, '400 Bad Request'))
  server.on('upgrade', (request, socket: Duplex, head) => {
    // Until the upgrade is through nobody else listens for a reset of this socket, and an error without a listener ends the process.
    socket.on('error', () => socket.destroy())
    try {
      const refused = refusalOf(request, names, token)
      if (refused !== null) return refuse(socket, refused)
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        // A socket error is always followed by its close, which ends the wire.
        webSocket.on('error', () => undefined)
        if (isCommand(request)) {
          commands.add(webSocket)
          webSocket.once('close', () => commands.delete(webSocket))
        }
        serve(socketWire(webSocket), contract, handlers, onUnexpected ? { onUnexpected } : {})
      })
    } catch (error) {
      report(error)
      refuse(socket, '500 Internal Server Error')
    }
  })
  return {
    port: bound,
    token,
    address: `http://127.0.0.1:${bound}/?token=${token}`,
    commands: () => commands.size,
    commandsGone: async () => {
      for (const command of commands) await new Promise<void>((resolve) => command.once('close', () => resolve()))
    },
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
type AnswerOptions = { names: ReadonlySet<string>; token: string; page: Page | null }

/**
 * The address a request asks for, or null where it names none. Only the origin form (`/path?query`) is taken: the absolute form is for
 * proxies, and what `URL` reads as another host (`//name`, `/\\name`) is no path of ours.
 */
function targetOf(request: IncomingMessage): URL | null {
  const target = request.url ?? ''
  if (!/^\/(?![/\\])/.test(target)) return null
  const url = URL.canParse(target, BASE) ? new URL(target, BASE) : null
  return url?.origin === BASE ? url : null
}

const isCommand = (request: IncomingMessage): boolean =>
  targetOf(request)?.searchParams.get(COMMAND_GUEST[0]) === COMMAND_GUEST[1]

/** Ends a connection with a status line. A socket that is gone already stays silent. */
function refuse(socket: Duplex, status: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function answer(request: IncomingMessage, response: ServerResponse, { names, token, page }: AnswerOptions): void {
  setSecurityHeaders(response)
  const end = (status: number) => {
    response.statusCode = status
    response.end()
  }
  if (!hasOwnHost(request, names)) return end(403)
  const url = targetOf(request)
  if (!url) return end(400)
  if (url.pathname === ALIVE_PATH) return end(isToken(url.searchParams.get('token'), token) ? ALIVE_STATUS : 403)
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(405)
  if (page) page(request, response, () => end(404))
  else end(404)
}

/** Why an upgrade is refused, as a status line, or null when it may pass. */
function refusalOf(request: IncomingMessage, names: ReadonlySet<string>, token: string): string | null {
  const url = targetOf(request)
  if (!url) return '400 Bad Request'
  if (url.pathname !== WIRE_PATH) return '404 Not Found'
  const isOurs = hasOwnHost(request, names) && hasOwnOrigin(request) && isToken(url.searchParams.get('token'), token)
  return isOurs ? null : '403 Forbidden'
}

function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
