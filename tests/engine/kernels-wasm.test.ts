/** The sparse kernels on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { equalRoutesCase, memoryCase, selectionCase, switchCase, threadCase } from './kernel-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('sparse kernels on wasm', () => {
  equalRoutesCase('wasm')
  threadCase('wasm')
  selectionCase('wasm')
  switchCase('wasm')
  memoryCase('wasm')
})
