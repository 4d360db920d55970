/** `npm run setup:tf` against a local stand-in of the download host: it succeeds, or says why and leaves what was there. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const installed = join(root, 'node_modules/@tensorflow/tfjs-node-gpu')
/** A real library for the download that succeeds; only where the native TensorFlow for tests was installed. */
const nativeLibrary = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'monoscope-libtensorflow')

let scratch: string
let folder: string
let server: Server
let storage: string
/** Files by the end of their address; anything else is a 404. `cut` ends an answer in the middle. */
let files: Record<string, { path: string; cut?: number }> = {}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'monoscope-setup-'))
  server = createServer((request, response) => {
    const found = Object.entries(files).find(([end]) => request.url?.endsWith(end))?.[1]
    if (!found) return void response.writeHead(404).end('no such file')
    const bytes = readFileSync(found.path)
    response.writeHead(200, { 'content-length': String(bytes.length) })
    if (found.cut === undefined) return void response.end(bytes)
    response.write(bytes.subarray(0, found.cut), () => request.socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  storage = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => {
  server.close()
  rmSync(scratch, { recursive: true, force: true })
})

beforeEach(() => {
  folder = join(scratch, 'node_modules/@tensorflow/tfjs-node-gpu')
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'scripts', 'dist'])
    cpSync(join(installed, name), join(folder, name), { recursive: true })
  mkdirSync(join(folder, 'deps/lib'), { recursive: true })
  writeFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'what was there before')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  files = {}
})

/** Runs the set-up without blocking the server of this process. */
function setUp(): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'scripts/setup-tf.mjs'), '--package', folder], {
    env: {
      ...process.env,
      TFJS_NODE_CDN_STORAGE: storage,
      HTTP_PROXY: '',
      HTTPS_PROXY: '',
      http_proxy: '',
      https_proxy: '',
    },
  })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  return new Promise((done) => child.on('exit', (status) => done({ status, stderr })))
}

const tarball = (name: string, from: string, entry = '.'): string => {
  const path = join(scratch, name)
  const made = spawnSync('tar', ['-c', '-z', '-f', path, '-C', from, entry], { env: { ...process.env, GZIP: '-1' } })
  expect(made.status).toBe(0)
  return path
}

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!existsSync(join(installed, 'scripts/install.js')))('setup:tf', () => {
  it('says that the download is not there and keeps what was there', { timeout: 60_000 }, async () => {
    const { status, stderr } = await setUp()
    expect(status).toBe(1)
    expect(stderr).toMatch(/TensorFlow was not set up: the address \S+ answers 404\. What was there before is back/)
    expect(readFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('what was there before')
    expect(readdirSync(folder)).not.toContain('.before-setup')
  })

  it('says so when the download ends early, and keeps what was there', { timeout: 60_000 }, async () => {
    const source = join(scratch, 'library')
    mkdirSync(join(source, 'lib'), { recursive: true })
    writeFileSync(join(source, 'lib/libtensorflow.so.2.9.1'), Buffer.alloc(400_000, 'library'))
    const path = tarball('library.tar.gz', source)
    files = { '.tar.gz': { path, cut: 700 } }
    const { status, stderr } = await setUp()
    expect(status).toBe(1)
    expect(stderr).toMatch(/TensorFlow was not set up/)
    expect(readFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('what was there before')
  })

  it('refuses a library that cannot compute', { timeout: 60_000 }, async () => {
    const source = join(scratch, 'broken')
    mkdirSync(join(source, 'lib'), { recursive: true })
    writeFileSync(join(source, 'lib/libtensorflow.so.2.9.1'), 'not a library')
    const binding = join(scratch, 'broken-binding/napi-v8')
    mkdirSync(binding, { recursive: true })
    writeFileSync(join(binding, 'tfjs_binding.node'), 'not a module')
    files = {
      'libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz': { path: tarball('broken.tar.gz', source) },
      'GPU-linux-4.22.0.tar.gz': { path: tarball('broken-binding.tar.gz', join(scratch, 'broken-binding'), 'napi-v8') },
    }
    const { status, stderr } = await setUp()
    expect(status).toBe(1)
    expect(stderr).toMatch(/TensorFlow was not set up/)
    expect(readFileSync(join(folder, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('what was there before')
  })

  it.skipIf(!isLinuxX64 || !existsSync(join(nativeLibrary, 'deps')))(
    'takes a library that computes',
    { timeout: 240_000 },
    async () => {
      const binding = join(scratch, 'binding/napi-v8')
      mkdirSync(binding, { recursive: true })
      cpSync(join(nativeLibrary, 'tfjs_binding.node'), join(binding, 'tfjs_binding.node'))
      files = {
        'libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz': { path: tarball('native.tar.gz', join(nativeLibrary, 'deps')) },
        'GPU-linux-4.22.0.tar.gz': { path: tarball('binding.tar.gz', join(scratch, 'binding'), 'napi-v8') },
      }
      const { status, stderr } = await setUp()
      expect(stderr).toMatch(/TensorFlow works \(on the processor/)
      expect(status).toBe(0)
      expect(readdirSync(folder)).not.toContain('.before-setup')
    },
  )
})
