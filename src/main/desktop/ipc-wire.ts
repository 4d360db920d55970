/** The wire over Electron IPC. Only the main frame of our own window, showing our own page, is listened to. */
import { ipcMain, type BrowserWindow, type IpcMainEvent } from 'electron'
import type { Wire } from '../../shared/wire'
import { appOrigin } from './protocol'

/** Calls `onWire` with a fresh wire for every page load; the wire of the page before is closed first. */
export function serveWindow(window: BrowserWindow, onWire: (wire: Wire) => void): void {
  const contents = window.webContents
  let close: () => void = () => undefined
  let deliver: (message: unknown) => void = () => undefined

  const openWire = (): void => {
    close()
    const messageListeners: ((message: unknown) => void)[] = []
    const closeListeners: (() => void)[] = []
    // What the page asks while the workspace is still opening waits for the first listener.
    const early: unknown[] = []
    let isOpen = true
    close = () => {
      isOpen = false
      for (const listener of closeListeners.splice(0)) listener()
    }
    deliver = (message) => {
      if (messageListeners.length === 0) early.push(message)
      else for (const listener of messageListeners) listener(message)
    }
    onWire({
      send: (message) => {
        if (isOpen && !contents.isDestroyed()) contents.send('wire', message)
      },
      onMessage: (listener) => {
        messageListeners.push(listener)
        for (const message of early.splice(0)) listener(message)
      },
      onClose: (listener) => void closeListeners.push(listener),
    })
  }

  const isOurPage = (event: IpcMainEvent): boolean => {
    const frame = event.senderFrame
    return frame !== null && frame === contents.mainFrame && frame.url.startsWith(`${appOrigin}/`)
  }
  const onMessage = (event: IpcMainEvent, message: unknown): void => {
    if (isOurPage(event)) deliver(message)
  }
  ipcMain.on('wire', onMessage)
  contents.on('did-start-navigation', (details) => {
    if (details.isMainFrame && !details.isSameDocument) openWire()
  })
  contents.on('render-process-gone', () => close())
  window.on('closed', () => {
    ipcMain.off('wire', onMessage)
    close()
  })
}
