/** The sparse kernels on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { equalRoutesCase, selectionCase, switchCase, threadCase } from './kernel-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('sparse kernels on tensorflow', () => {
  equalRoutesCase('tensorflow')
  threadCase('tensorflow')
  selectionCase('tensorflow')
  switchCase('tensorflow')
})
