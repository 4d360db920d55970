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
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const

/** The `Host` values this server answers to; any other is a foreign name that was pointed at us (DNS rebinding). */
export function ownHosts(port: number, host: string): Set<string> {
  return new Set([...LOOPBACK_NAMES, host].map((name) => `${name}:${port}`))
}

export const hasOwnHost = (request: IncomingMessage, hosts: ReadonlySet<string>): boolean =>
  hosts.has((request.headers.host ?? '').toLowerCase())

/** A browser always sends where its page came from; a program that sends nothing needs the token anyway. */
export function hasOwnOrigin(request: IncomingMessage, hosts: ReadonlySet<string>): boolean {
  const { origin } = request.headers
  return origin === undefined || [...hosts].some((host) => origin.toLowerCase() === `http://${host}`)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in constant time. */
export const isToken = (given: string | null, token: string): boolean =>
  given !== null && timingSafeEqual(digest(given), digest(token))
