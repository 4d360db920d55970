/** The one door to TensorFlow.js: chooses and opens a backend, says which and why, and reports memory. */
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { Backend, BackendName } from '../../shared/domain'
import { BackendName as BackendNames } from '../../shared/domain'
import { AppError } from '../../shared/errors'

export { tf }

// CommonJS on purpose: every backend then finds the one tfjs-core that this file has loaded.
const requireHere = createRequire(import.meta.url)

// tfjs-core alone knows no gradients in Node; the umbrella package registers those of every operation with it.
requireHere('@tensorflow/tfjs')
// Only silences warnings to the console, which belongs to our own lines.
tf.enableProdMode()

const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

type UtilShim = { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean }

/** tfjs-node 4.22 calls two functions of `util` that Node 23 removed or warns of. */
function restoreRemovedUtil(): void {
  const util = requireHere('node:util') as UtilShim
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
  util.isArray = Array.isArray
}

/** The part of tfjs-node's backend object that says what it runs on. */
type NativeBackend = tf.KernelBackend & {
  isUsingGpuDevice?: boolean
  binding?: { TF_Version?: string }
  getInputTensorIds?(tensors: tf.Tensor[]): number[]
}

async function openTensorflow(): Promise<string> {
  restoreRemovedUtil()
  // Before the native library starts: its notes about CPU features would mix with our own lines.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  requireHere('@tensorflow/tfjs-node-gpu')
  if (!(await tf.setBackend('tensorflow'))) throw new Error('it did not start')
  const native: NativeBackend = tf.backend()
  return `${native.isUsingGpuDevice ? 'GPU' : 'CPU'}, libtensorflow ${native.binding?.TF_Version ?? 'of unknown version'}`
}

type WasmModule = { setWasmPaths(folder: string): void; getThreadsCount(): number }

async function openWasm(): Promise<string> {
  const wasm = requireHere('@tensorflow/tfjs-backend-wasm') as WasmModule
  wasm.setWasmPaths(dirname(requireHere.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
  if (!(await tf.setBackend('wasm'))) throw new Error('it did not start')
  const hasSimd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')
  return `WebAssembly${hasSimd ? ' SIMD' : ''}, 1 thread`
}

async function openCpu(): Promise<string> {
  requireHere('@tensorflow/tfjs-backend-cpu')
  if (!(await tf.setBackend('cpu'))) throw new Error('it did not start')
  return 'CPU, plain JavaScript'
}

const OPENERS: Record<BackendName, () => Promise<string>> = {
  tensorflow: openTensorflow,
  wasm: openWasm,
  cpu: openCpu,
}

function forcedName(preferred: BackendName | undefined): BackendName | undefined {
  if (preferred) return preferred
  const wanted = process.env.MONOSCOPE_BACKEND
  if (!wanted) return undefined
  const parsed = BackendNames.safeParse(wanted)
  if (parsed.success) return parsed.data
  throw new AppError('backend-unavailable', { backend: wanted, reason: `known are ${BackendNames.options.join(', ')}` })
}

/**
 * Opens the backend that this process computes on: tensorflow, else wasm, else cpu. `preferred`, or the environment variable
 * MONOSCOPE_BACKEND, allows only that one.
 * @throws AppError backend-unavailable when the only one allowed cannot start
 */
export async function openBackend(preferred?: BackendName): Promise<Backend> {
  const forced = forcedName(preferred)
  const reasons: string[] = []
  for (const name of forced ? [forced] : BackendNames.options) {
    try {
      const device = await OPENERS[name]()
      await tf.ready()
      return { name, device, reason: reasons.join('; ') }
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(name, error)}`)
    }
  }
  throw new AppError('backend-unavailable', { backend: forced ?? 'cpu', reason: reasons.join('; ') })
}

/**
 * Makes the backend take in a tensor's values now. tfjs-node keeps the JavaScript array and copies it at the tensor's first use;
 * done at once while loading, weights are never in memory twice. Other backends take them in by themselves.
 */
export function settle(tensor: tf.Tensor): void {
  const native: NativeBackend = tf.backend()
  native.getInputTensorIds?.([tensor])
}

/** Missing binaries are the normal case and get plain words. */
function reasonOf(name: BackendName, error: unknown): string {
  const reason = firstLine(error)
  if (name !== 'tensorflow') return reason
  if (reason.includes("Cannot find module '@tensorflow")) return 'the optional package is not installed'
  if (/tfjs_binding\.node|pre-gyp|prebuilt|native addon/.test(reason)) return 'the native library is not installed'
  return reason
}

/** Tensors alive in the current backend, and their bytes. */
export function memoryReport(): { tensors: number; bytes: number } {
  const { numTensors, numBytes } = tf.memory()
  return { tensors: numTensors, bytes: numBytes }
}
