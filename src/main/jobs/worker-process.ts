/** One worker process: started on a plain Node, spoken to over IPC, its stderr kept for the case that it dies. */
import { fork, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../shared/errors'
import type { Log } from '../log'
import type { FromWorker, ToWorker } from './messages'
import type { Runtime } from './runtime'

const HEAP_MB = 8192
const TAIL_CHARACTERS = 4000
const KILL_AFTER_MS = 5000

export type WorkerCommand = { workerPath: string; runtime: Runtime; log: Log }

/** How a process ended: `error` when it never started. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null; error: Error | null }

/** What to tell people about an exit. */
export const describeExit = ({ code, signal, error }: Exit): string =>
  error ? error.message : signal ? `signal ${signal}` : `exit code ${code ?? 'unknown'}`

export class WorkerProcess {
  readonly exited: Promise<Exit>
  private readonly child: ChildProcess
  private tail = ''
  private hasExited = false
  private isDisconnected = false

  constructor(
    private readonly command: WorkerCommand,
    onMessage: (message: FromWorker) => void,
  ) {
    const { workerPath, runtime, log } = command
    this.child = fork(workerPath, [], {
      execPath: runtime.path,
      // A worker that has loaded a model collects at once the arrays its weights came in.
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--expose-gc'],
      env: runtime.env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // In a group of its own, so that Ctrl-C on the terminal reaches main, which then asks for a last checkpoint.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.hasExited = true
        resolve(exit)
      }
      this.child.once('error', (error) => {
        if (this.child.pid === undefined) end({ code: null, signal: null, error })
        else log.warn({ error: error.message }, 'worker channel')
      })
      // `close` comes after the pipes and the channel are drained, so no message arrives after it. It never comes once this
      // side has closed the channel; then nothing is waited for but the exit.
      this.child.once('close', (code, signal) => end({ code, signal, error: null }))
      this.child.once('exit', (code, signal) => {
        if (this.isDisconnected) end({ code, signal, error: null })
      })
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => log.info({ stdout: text.trimEnd() }, 'worker'))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.tail = (this.tail + text).slice(-TAIL_CHARACTERS)
    })
    // The other end of the channel is our own worker; its messages have the agreed types.
    this.child.on('message', (message) => onMessage(message as FromWorker))
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  /** The last of what the process wrote to stderr. */
  get stderrTail(): string {
    return this.tail
  }

  /** Does nothing when the process is gone: its exit tells. */
  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined)
  }

  /** Closes the channel, which a worker takes as the end of its work. */
  disconnect(): void {
    this.isDisconnected = true
    if (this.child.connected) this.child.disconnect()
  }

  /** Waits for the process to end by itself, then asks it to, then makes it. Only ever signals this own child. */
  async stop(patienceMs: number): Promise<Exit> {
    const wait = async (ms: number) => {
      const timer = new AbortController()
      await Promise.race([this.exited, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
      return this.hasExited
    }
    if (await wait(patienceMs)) return this.exited
    this.child.kill('SIGTERM')
    if (!(await wait(KILL_AFTER_MS))) this.child.kill('SIGKILL')
    return this.exited
  }

  /** The error of an exit that was not asked for. */
  missing(exit: Exit): AppError | null {
    return exit.error
      ? new AppError('worker-missing', { path: this.command.runtime.path, reason: exit.error.message })
      : null
  }
}
