/** The threads that run the kernels on one shared memory. The caller's own thread is one of them. */
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../../shared/errors'
import code from './assembly/index.ts?assemblyscript'
import { CONTROL_BYTES, FIRST_UNIT, NEXT } from './assembly/places'

/** What the kernels offer besides `run`. */
export type Kernels = {
  run(command: number, thread: number): void
  /** See assembly/batch-cut.ts. */
  cutBatch(): number
  listed(): number
  largestUnitTau(): number
  fullestUnit(cut: number): number
}

/** Places of the words that threads wait on. */
const SEQUENCE = 0
const COMMAND = 1
const DONE = 2
const FAILED = 3
const WORDS = 4
/** The command that ends a thread. */
const LEAVE = -1
/** A thread that says nothing for this long has died without a word. */
const SILENCE_MS = 5 * 60_000

/** What a helping thread does; text, because it needs no file of its own beside the worker's script. */
const HELPER = `
const { workerData } = require('node:worker_threads')
const { module, memory, words, thread } = workerData
const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports
let seen = 0
for (;;) {
  Atomics.wait(words, ${SEQUENCE}, seen)
  seen = Atomics.load(words, ${SEQUENCE})
  const command = Atomics.load(words, ${COMMAND})
  if (command === ${LEAVE}) break
  try { run(command, thread) } catch { Atomics.store(words, ${FAILED}, 1) }
  Atomics.add(words, ${DONE}, 1)
  Atomics.notify(words, ${DONE})
}`

let compiled: WebAssembly.Module | null = null

/** The kernels with the optimising compiler from the start: by default the first dozens of steps would run at half the speed. */
function moduleOf(): WebAssembly.Module {
  if (compiled) return compiled
  setFlagsFromString('--no-liftoff')
  setFlagsFromString('--no-wasm-lazy-compilation')
  compiled = new WebAssembly.Module(Buffer.from(code, 'base64'))
  setFlagsFromString('--liftoff')
  setFlagsFromString('--wasm-lazy-compilation')
  return compiled
}

/** Whether this runtime can run the kernels. */
export function hasKernels(): boolean {
  return WebAssembly.validate(Buffer.from(code, 'base64'))
}

export class KernelPool {
  readonly kernels: Kernels
  private readonly words = new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT))
  private readonly helpers: Worker[]
  private readonly control: Int32Array

  /** @param threads including the caller's */
  constructor(
    memory: WebAssembly.Memory,
    readonly threads: number,
  ) {
    const module = moduleOf()
    // The functions are those that assembly/index.ts exports.
    this.kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels
    this.control = new Int32Array(memory.buffer, CONTROL_BYTES)
    this.helpers = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData = { module, memory, words: this.words, thread: i + 1 }
      const helper = new Worker(HELPER, { eval: true, workerData })
      // It does not keep the process alive: its caller's work does.
      helper.unref()
      return helper
    })
  }

  /** Runs a command on all threads and waits for it. */
  run(command: number): void {
    this.start(command)
    this.kernels.run(command, 0)
    this.join()
  }

  /** Starts a command on the helping threads. */
  private start(command: number): void {
    Atomics.store(this.control, NEXT, this.control[FIRST_UNIT] ?? 0)
    if (this.helpers.length === 0) return
    Atomics.store(this.words, COMMAND, command)
    Atomics.store(this.words, DONE, 0)
    Atomics.add(this.words, SEQUENCE, 1)
    Atomics.notify(this.words, SEQUENCE)
  }

  /** Waits until the helping threads are done. @throws AppError worker-lost */
  private join(): void {
    for (;;) {
      const done = Atomics.load(this.words, DONE)
      if (done >= this.helpers.length) break
      if (Atomics.wait(this.words, DONE, done, SILENCE_MS) === 'timed-out') {
        throw new AppError('worker-lost', { reason: `a kernel thread was silent for ${SILENCE_MS / 60_000} minutes` })
      }
    }
    if (Atomics.load(this.words, FAILED) !== 0) throw new AppError('worker-lost', { reason: 'a kernel thread failed' })
  }

  dispose(): void {
    Atomics.store(this.words, COMMAND, LEAVE)
    Atomics.add(this.words, SEQUENCE, 1)
    Atomics.notify(this.words, SEQUENCE)
  }
}
