/** Reconstructions in the place of activations on the cpu backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { qualityCases } from './quality-cases'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('quality', () => qualityCases('cpu'))
