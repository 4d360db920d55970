/** The feature atlas on the tensorflow backend. */
import { describe } from 'vitest'
import { atlasCase } from './atlas-cases'
import { featureWeightsCase } from './feature-weights-cases'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('atlas on tensorflow', atlasCase)
describe.skipIf(!backend)('what the weights say on tensorflow', featureWeightsCase)
