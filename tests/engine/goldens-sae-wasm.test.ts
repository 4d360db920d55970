/** The standard autoencoder on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCase, foldCase, goldenCase, memoryCase } from './sae-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('standard autoencoder on wasm', () => {
  goldenCase('wasm')
  autogradCase()
  foldCase()
  memoryCase()
})
