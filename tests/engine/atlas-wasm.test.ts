/** The feature atlas on the wasm backend. */
import { describe } from 'vitest'
import { atlasCase } from './atlas-cases'
import { featureWeightsCase } from './feature-weights-cases'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('atlas on wasm', atlasCase)
describe.skipIf(!backend)('what the weights say on wasm', featureWeightsCase)
