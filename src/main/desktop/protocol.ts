/** Serves the built renderer under app://monoscope, with the same content policy as served mode; file:// is never used. */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { protocol } from 'electron'
import { contentSecurityPolicy } from '../web/security'

export const appOrigin = 'app://monoscope'

const MIME_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
}

/** Must run before the app is ready. */
export function registerAppScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, codeCache: true }
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges }])
}

/** Answers requests with files of `folder` and refuses everything outside of it. */
export function serveRenderer(folder: string): void {
  protocol.handle('app', async (request) => {
    const { host, pathname } = new URL(request.url)
    const path = normalize(join(folder, decodeURIComponent(pathname === '/' ? '/index.html' : pathname)))
    if (host !== 'monoscope' || !path.startsWith(folder + sep)) return new Response(null, { status: 403 })
    try {
      const headers = {
        'content-type': MIME_TYPES[extname(path)] ?? 'application/octet-stream',
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
      }
      return new Response(new Uint8Array(await readFile(path)), { headers })
    } catch {
      return new Response(null, { status: 404 })
    }
  })
}
