/** What keeps other programs and other web pages out of the served app: headers, host names, origins and the token. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** The same policy in both hosts; the desktop sends it with its own protocol. */
export const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  // In current browsers 'self' covers the WebSocket of the page's own origin, and no other port of this machine.
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  // The address of the first request holds the token, and what comes after it is what one person wrote: no cache keeps either.
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const

/**
 * The names this server answers to, whatever port stands behind them: a tunnel (`ssh -L`) ends at a port of its own, and port 80 is left
 * out. Any other name is a foreign one that was pointed at us (DNS rebinding).
 */
export const ownNames = (host: string): Set<string> => new Set([...LOOPBACK_NAMES, host.toLowerCase()])

export function hasOwnHost(request: IncomingMessage, names: ReadonlySet<string>): boolean {
  const host = (request.headers.host ?? '').toLowerCase()
  return names.has(host.replace(/:\d{1,5}$/, ''))
}

/**
 * A browser always sends where its page came from; only a page of this very server may open the wire, not one that another
 * program serves on this machine. A program that sends nothing needs the token anyway.
 */
export function hasOwnOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers
  return origin === undefined || origin.toLowerCase() === `http://${(host ?? '').toLowerCase()}`
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in constant time. */
export const isToken = (given: string | null, token: string): boolean =>
  given !== null && timingSafeEqual(digest(given), digest(token))
