/** Every architecture on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCases, edgeCases, memoryCases, referenceCases } from './sae-cases'
import { finishCases, startCases } from './sae-finish-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('architectures on wasm', () => {
  referenceCases()
  autogradCases()
  edgeCases()
  memoryCases()
  startCases()
  finishCases()
})
