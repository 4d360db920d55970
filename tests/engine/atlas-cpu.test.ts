/** The feature atlas on the cpu backend. */
import { describe } from 'vitest'
import { atlasCase } from './atlas-cases'
import { openTestBackend } from './goldens'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('atlas on cpu', atlasCase)
