/** Reconstructions in the place of activations on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { qualityCases } from './quality-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('quality', () => qualityCases('wasm'))
