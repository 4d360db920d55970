/** The only bridge between page and main process: one channel of messages, and the path of what the user drops on the window. */
import { contextBridge, ipcRenderer, webUtils } from 'electron'

contextBridge.exposeInMainWorld('monoscope', {
  send: (message: unknown) => ipcRenderer.send('wire', message),
  onMessage: (listener: (message: unknown) => void) => {
    ipcRenderer.on('wire', (_event, message: unknown) => listener(message))
  },
  // The page may not read a dropped file's path itself. Only files the user dropped or chose can be asked about.
  pathOf: (file: File) => webUtils.getPathForFile(file),
})
