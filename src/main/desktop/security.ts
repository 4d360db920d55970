/** Electron's security checklist, one function per item. The window itself adds sandbox and context isolation. */
import { app, session, shell, type WebContents } from 'electron'
import { appOrigin } from './protocol'

/** Pages the user may be sent to in the system's browser. */
const EXTERNAL_HOSTS = new Set(['transformer-circuits.pub', 'arxiv.org', 'huggingface.co', 'github.com'])

/** No page of ours needs the camera, notifications or anything else that asks for permission. */
export function denyPermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
}

/** The window shows this app and nothing else; a link elsewhere opens in the system's browser when its host is known. */
export function confineNavigation(contents: WebContents): void {
  contents.on('will-navigate', (event, url) => {
    if (new URL(url).origin !== appOrigin) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    const { protocol, hostname } = new URL(url)
    if (protocol === 'https:' && EXTERNAL_HOSTS.has(hostname)) void shell.openExternal(url)
    return { action: 'deny' }
  })
}

/** Every web contents there will ever be is confined, also one that another library should open. */
export function confineAllContents(): void {
  app.on('web-contents-created', (_event, contents) => confineNavigation(contents))
}
