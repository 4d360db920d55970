/** Every architecture on the cpu backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { autogradCases, edgeCases, memoryCases, referenceCases } from './sae-cases'
import { finishCases, startCases } from './sae-finish-cases'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('architectures on cpu', () => {
  referenceCases()
  autogradCases()
  edgeCases()
  memoryCases()
  startCases()
  finishCases()
})
