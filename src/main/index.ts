/** Desktop entry: one window on one workspace. */
import { join } from 'node:path'
import { app, BrowserWindow } from 'electron'
import { startDesktop } from './desktop/start'
import { registerAppScheme } from './desktop/protocol'

registerAppScheme()
