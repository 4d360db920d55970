/** The only bridge between page and main process: one channel of messages, nothing else. */
import { contextBridge, ipcRenderer } from 'electron'

contextBridge.exposeInMainWorld('monoscope', {
  send: (message: unknown) => ipcRenderer.send('wire', message),
  onMessage: (listener: (message: unknown) => void) => {
    ipcRenderer.on('wire', (_event, message: unknown) => listener(message))
  },
})
