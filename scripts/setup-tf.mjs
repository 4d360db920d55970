/**
 * `npm run setup:tf`: makes the official download of tfjs-node-gpu, outside of any install. On failure what was there before is put
 * back, so the app goes on with what it had (WebAssembly at least).
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, root, say } from './bootstrap.mjs'

const { values } = parseArgs({
  options: {
    /** Folder of the tfjs-node-gpu package; tests give a copy. */
    package: { type: 'string', default: join(root, 'node_modules/@tensorflow/tfjs-node-gpu') },
    /** cpu or gpu library; gpu needs an NVIDIA card with CUDA 11.2 and cuDNN 8.1 to be of use. */
    library: { type: 'string', default: 'gpu' },
  },
})
const folder = values.package
if (!existsSync(join(folder, 'scripts/install.js'))) {
  fail('@tensorflow/tfjs-node-gpu is not installed; run npm ci without --omit=optional, then try again')
}
const parts = ['deps', 'lib', 'package.json']
const backup = join(folder, '.before-setup')

/** Keeps what works now. A backup that is already there is from a run that was killed, and is the good state. */
function keep() {
  if (existsSync(backup)) restore()
  for (const name of parts) {
    if (existsSync(join(folder, name)))
      cpSync(join(folder, name), join(backup, name), { recursive: true, verbatimSymlinks: true })
  }
}

function restore() {
  for (const name of parts) {
    rmSync(join(folder, name), { recursive: true, force: true })
    if (existsSync(join(backup, name)))
      cpSync(join(backup, name), join(folder, name), { recursive: true, verbatimSymlinks: true })
  }
  rmSync(backup, { recursive: true, force: true })
}

/** Runs the package's own install script; its binding download follows the same storage override as its library download. */
function download() {
  const storage = process.env.TFJS_NODE_CDN_STORAGE
  const mirror = storage ? { npm_config_tfjs_binding_binary_host_mirror: `${storage}tf-builds/pre-built-binary` } : {}
  const searchPath = [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter)
  return spawnSync(process.execPath, ['scripts/install.js', values.library, 'download'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...mirror, PATH: searchPath, NODE_PATH: join(root, 'node_modules') },
  })
}

/** Loads the library in a process of its own (a broken one may crash) and multiplies two numbers with it. */
function tryLibrary() {
  const program = `
    const util = require('node:util')
    util.isNullOrUndefined ??= (value) => value == null
    util.isArray ??= Array.isArray
    const tf = require(${JSON.stringify(folder)})
    const product = tf.matMul(tf.tensor2d([[6]]), tf.tensor2d([[7]])).dataSync()[0]
    process.stdout.write(JSON.stringify({ product, version: tf.version_core, gpu: tf.backend().isUsingGpuDevice === true }))`
  const result = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_PATH: join(root, 'node_modules') },
  })
  try {
    const answer = JSON.parse(result.stdout.slice(result.stdout.lastIndexOf('{')))
    return answer.product === 42 ? { answer } : { reason: `6 x 7 came out as ${answer.product}` }
  } catch {
    return {
      reason: errorLine(result.stderr) ?? `the library ended with ${result.signal ?? `exit code ${result.status}`}`,
    }
  }
}

/** The line of an output that names the error, or nothing. */
function errorLine(text) {
  const lines = (text ?? '').split('\n').map((line) => line.trim())
  return (
    lines.find((line) => /^\w*Error\b.*: /.test(line)) ??
    lines.find((line) => !line.startsWith('throw ') && /error|HTTP|ENOTFOUND|ECONN/i.test(line))
  )
}

/** When the address itself answers with an error, that says more than what unpacking made of the error page. */
async function refusedAddress(stdout) {
  const url = /^https?:\S+$/m.exec(stdout)?.[0]
  if (!url) return undefined
  const answer = await fetch(url, { method: 'HEAD' }).catch(() => undefined)
  return answer && !answer.ok ? `the address ${url} answers ${answer.status}` : undefined
}

keep()
say(`downloading TensorFlow's ${values.library} library with tfjs-node-gpu's own script`)
const result = download()
const hasLibrary =
  existsSync(join(folder, 'deps/lib')) && readdirSync(join(folder, 'deps/lib')).some((n) => n.includes('tensorflow'))
const problem =
  result.status !== 0
    ? (errorLine(result.stderr) ?? `exit code ${result.status}`)
    : !hasLibrary
      ? (errorLine(`${result.stderr}\n${result.stdout}`) ?? 'the download holds no library')
      : tryLibrary().reason
if (problem) {
  restore()
  fail(
    `TensorFlow was not set up: ${(await refusedAddress(result.stdout)) ?? problem}. What was there before is back; Monoscope goes on without it`,
  )
}
const { answer } = tryLibrary()
rmSync(backup, { recursive: true, force: true })
say(`TensorFlow works (${answer.gpu ? 'on the graphics card' : 'on the processor'}, tfjs ${answer.version})`)
