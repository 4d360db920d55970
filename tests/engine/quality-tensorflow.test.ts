/** Reconstructions in the place of activations on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { qualityCases } from './quality-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('quality', () => qualityCases('tensorflow'))
