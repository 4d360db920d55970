/** The standard autoencoder on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCase, foldCase, goldenCase, memoryCase } from './sae-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('standard autoencoder on tensorflow', () => {
  goldenCase('tensorflow')
  autogradCase()
  foldCase()
  memoryCase()
})
