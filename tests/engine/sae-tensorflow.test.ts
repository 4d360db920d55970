/** Every architecture on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCases, edgeCases, memoryCases, referenceCases } from './sae-cases'
import { finishCases, startCases } from './sae-finish-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('architectures on tensorflow', () => {
  referenceCases()
  autogradCases()
  edgeCases()
  memoryCases()
  startCases()
  finishCases()
})
