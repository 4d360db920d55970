/** Choosing a backend where the native library is absent, and where the environment asks for what is not there. */
import Module from 'node:module'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openBackend } from '../../src/main/engine/tf'

/** Node's own loader, replaced to play a machine without the native library. */
const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown }
const load = loader._load
const named = process.env.MONOSCOPE_BACKEND
let refusal: string

beforeEach(() => {
  delete process.env.MONOSCOPE_BACKEND
  loader._load = (request, ...rest) => {
    if (request === '@tensorflow/tfjs-node-gpu') throw new Error(refusal)
    return load.call(loader, request, ...rest)
  }
})
afterEach(() => {
  loader._load = load
  if (named === undefined) delete process.env.MONOSCOPE_BACKEND
  else process.env.MONOSCOPE_BACKEND = named
})

it.each([
  ["Cannot find module '@tensorflow/tfjs-node-gpu'\nRequire stack: ...", 'the optional package is not installed'],
  [
    'The Node.js native addon module (tfjs_binding.node) can not be found at path: x',
    'the native library is not installed',
  ],
  ['libtensorflow.so.2: cannot open shared object file', 'libtensorflow.so.2: cannot open shared object file'],
])('takes wasm and says why: %s', async (message, reason) => {
  refusal = message
  expect(await openBackend()).toEqual({
    name: 'wasm',
    device: 'WebAssembly SIMD, 1 thread',
    reason: `tensorflow: ${reason}`,
  })
})
it('fails when only the absent one is allowed', async () => {
  refusal = "Cannot find module '@tensorflow/tfjs-node-gpu'"
  await expect(openBackend('tensorflow')).rejects.toThrow(
    'The compute backend tensorflow cannot be used here: tensorflow: the optional package is not installed. Choose another backend or remove MONOSCOPE_BACKEND.',
  )
})
it('takes the one that the environment names', async () => {
  process.env.MONOSCOPE_BACKEND = 'cpu'
  expect(await openBackend()).toEqual({ name: 'cpu', device: 'CPU, plain JavaScript', reason: '' })
})
it('refuses a name nobody knows', async () => {
  process.env.MONOSCOPE_BACKEND = 'abacus'
  await expect(openBackend()).rejects.toThrow(
    'The compute backend abacus cannot be used here: known are tensorflow, wasm, cpu. Choose another backend or remove MONOSCOPE_BACKEND.',
  )
})
