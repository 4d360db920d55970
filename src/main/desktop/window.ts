/** The one window: sandboxed, isolated, shown when its first frame is drawn. */
import { BrowserWindow, nativeTheme } from 'electron'
import { appOrigin } from './protocol'

/** Opens the main window with the sandboxed preload script; the page is loaded by `showApp`. */
export function createWindow(preloadPath: string, iconPath: string): BrowserWindow {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 1024,
    minHeight: 640,
    show: false,
    title: 'Monoscope',
    icon: iconPath,
    autoHideMenuBar: true,
    // The colours of --bg in ui/tokens.css, so that nothing flashes before the page is there.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0d1110' : '#eff2f1',
    webPreferences: {
      preload: preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  return window
}

/** Loads the page; call after the wire is listening, so that the first question finds an answer. */
export const showApp = (window: BrowserWindow): Promise<void> => window.loadURL(`${appOrigin}/index.html`)
