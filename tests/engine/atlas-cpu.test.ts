/** The feature atlas on the cpu backend. */
import { describe } from 'vitest'
import { atlasCase } from './atlas-cases'
import { featureWeightsCase } from './feature-weights-cases'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('atlas on cpu', atlasCase)
describe.skipIf(!backend)('what the weights say on cpu', featureWeightsCase)
