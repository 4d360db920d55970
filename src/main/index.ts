/** Desktop entry: where the built parts lie, and off it goes. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { registerAppScheme } from './desktop/protocol'
import { startDesktop } from './desktop/start'
import { surviveUncaughtErrors } from './survive'

const out = join(dirname(fileURLToPath(import.meta.url)), '..')
/** The Node that the packaged app carries for its workers. */
const packagedNode = join(process.resourcesPath, 'runtime', process.platform === 'win32' ? 'node.exe' : 'node')

surviveUncaughtErrors()
registerAppScheme()
void startDesktop({
  worker: join(out, 'main/worker.js'),
  renderer: join(out, 'renderer'),
  preload: join(out, 'preload/index.cjs'),
  icon: join(out, '../resources/icon.png'),
  demo: join(out, '../resources/demo'),
  ...(existsSync(packagedNode) ? { node: packagedNode } : {}),
})
