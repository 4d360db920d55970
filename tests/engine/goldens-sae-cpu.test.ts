/** The standard autoencoder on the cpu backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCase, foldCase, goldenCase, memoryCase } from './sae-cases'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('standard autoencoder on cpu', () => {
  goldenCase('cpu')
  autogradCase()
  foldCase()
  memoryCase()
})
