/** Builds the worker entry once per test file and talks to it as main does. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'vite'
import { isBuilt } from '../../scripts/bootstrap.mjs'
import assemblyscript from '../../scripts/vite-assemblyscript.mjs'
import type { FromWorker, ToWorker } from '../../src/main/jobs/messages'

const ROOT = resolve(import.meta.dirname, '../..')

/** Inside node_modules, so that packages resolve from there and nothing else looks at it. */
const folder = join(ROOT, 'node_modules', '.cache', `monoscope-worker-${process.pid}`)

/** @returns path of the built entry */
export async function buildWorker(): Promise<string> {
  // Under `npm test` the app was built just before.
  if (isBuilt()) return join(ROOT, 'out', 'main', 'worker.js')
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    plugins: [assemblyscript()],
    build: { ssr: join(ROOT, 'src/main/worker.ts'), outDir: folder, emptyOutDir: true, target: 'node24' },
  })
  return join(folder, 'worker.js')
}

export const removeWorker = (): Promise<void> => rm(folder, { recursive: true, force: true })

export class TestWorker {
  readonly messages: FromWorker[] = []
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess
  private wake: () => void = () => undefined

  constructor(entry: string, backend: string, env: NodeJS.ProcessEnv = {}) {
    this.child = fork(entry, [], {
      serialization: 'advanced',
      env: { ...process.env, MONOSCOPE_BACKEND: backend, ...env },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.child.on('message', (message) => {
      // Our own worker: its messages have the agreed types.
      this.messages.push(message as FromWorker)
      this.wake()
    })
    this.exited = new Promise((done) => {
      const end = (code: number | null) => {
        done(code)
        this.wake()
      }
      // `close` never comes once this side has closed the channel; before that, messages may still come after `exit`.
      this.child.once('exit', (code) => {
        if (this.child.connected) this.child.once('disconnect', () => end(code))
        else end(code)
      })
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  tell(message: ToWorker): void {
    this.child.send(message)
  }

  /** The first message of a type, now or later. */
  async first<T extends FromWorker['type']>(type: T): Promise<Extract<FromWorker, { type: T }>> {
    const isWanted = (message: FromWorker): message is Extract<FromWorker, { type: T }> => message.type === type
    for (;;) {
      const found = this.messages.find(isWanted)
      if (found) return found
      const refusal = this.messages.find(
        ({ type: said }) => said === 'failed' || (said === 'answerFailed' && type !== said),
      )
      if (refusal) throw new Error(JSON.stringify(refusal))
      if (this.child.exitCode !== null)
        throw new Error(`the worker ended; it said ${JSON.stringify(this.messages.at(-1))}`)
      await new Promise<void>((done) => (this.wake = done))
    }
  }

  /** Whether it computes on a backend; false where that is not installed. */
  async opens(backend: string): Promise<boolean> {
    try {
      return (await this.first('ready')).backend.name === backend
    } catch (error) {
      if (String(error).includes('backend-unavailable')) return false
      throw error
    }
  }

  all<T extends FromWorker['type']>(type: T): Extract<FromWorker, { type: T }>[] {
    const isWanted = (message: FromWorker): message is Extract<FromWorker, { type: T }> => message.type === type
    return this.messages.filter(isWanted)
  }

  disconnect(): void {
    if (this.child.connected) this.child.disconnect()
  }

  /** As a crash or the system would end it. */
  kill(): void {
    this.child.kill('SIGKILL')
  }
}
