/** Starts the desktop app: one instance, one window, handlers of the workspace, and an end that waits for the last checkpoint. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { app, type BrowserWindow } from 'electron'
import { contract, type MonoscopeHandlers } from '../../shared/contract'
import { serve } from '../../shared/wire'
import { openLasting } from '../lasting-handlers'
import type { MonoscopeOptions } from '../monoscope'
import { openHandlers, type OpenedHandlers } from '../open-handlers'
import { choosePath, showStartError, type PathKind } from './dialogs'
import { serveWindow } from './ipc-wire'
import { installMenu } from './menu'
import { serveRenderer } from './protocol'
import { confineAllContents, denyPermissions } from './security'
import { openTokenVault } from './token-vault'
import { createWindow, showApp } from './window'

export type DesktopPaths = {
  worker: string
  renderer: string
  preload: string
  icon: string
  demo: string
  node?: string
}

function workspaceFolder(): string {
  const at = process.argv.indexOf('--workspace')
  const given = at >= 0 ? process.argv[at + 1] : undefined
  return given ?? process.env.MONOSCOPE_WORKSPACE ?? join(homedir(), 'Monoscope')
}

/** While another process owns the workspace its host has no dialogs, but this window has. */
function withDialogs(
  handlers: MonoscopeHandlers,
  choose: (what: PathKind) => Promise<string | null>,
): MonoscopeHandlers {
  return {
    ...handlers,
    'app.choosePath': ({ what }) => choose(what),
    'app.info': async (input, signal) => ({ ...(await handlers['app.info'](input, signal)), hasDialogs: true }),
  }
}

async function openWorkspaceFor(window: BrowserWindow, paths: DesktopPaths): Promise<OpenedHandlers> {
  const choose = (what: PathKind) => choosePath(window, what)
  const options: MonoscopeOptions = {
    folder: workspaceFolder(),
    workerPath: paths.worker,
    demoFolder: paths.demo,
    ...(paths.node ? { nodePath: paths.node } : {}),
    host: 'desktop',
    version: app.getVersion(),
    choosePath: choose,
    tokenVault: openTokenVault(),
  }
  const opened = await openLasting(() => openHandlers(options))
  return opened.isOwner ? opened : { ...opened, handlers: withDialogs(opened.handlers, choose) }
}

/** Quits only after the workspace is closed: a running job writes its checkpoint first. */
function closeBeforeQuit(opened: OpenedHandlers): void {
  let isClosed = false
  app.on('before-quit', (event) => {
    if (isClosed) return
    event.preventDefault()
    void opened.close().finally(() => {
      isClosed = true
      app.quit()
    })
  })
}

/** Runs the app until its window is closed. Call once, after `registerAppScheme`. */
export async function startDesktop(paths: DesktopPaths): Promise<void> {
  if (!app.requestSingleInstanceLock()) return app.quit()
  confineAllContents()
  app.on('window-all-closed', () => app.quit())
  await app.whenReady()
  denyPermissions()
  installMenu()
  serveRenderer(paths.renderer)
  const window = createWindow(paths.preload, paths.icon)
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  // The page loads while the workspace opens; its first questions wait for the handlers.
  const opening = openWorkspaceFor(window, paths)
  serveWindow(window, (wire) => {
    void opening.then(
      ({ handlers, onUnexpected }) => serve(wire, contract, handlers, { onUnexpected }),
      // Shown below, where the app ends because of it.
      () => undefined,
    )
  })
  await showApp(window)
  try {
    closeBeforeQuit(await opening)
  } catch (error) {
    showStartError(error)
    app.exit(1)
  }
}
