/** Search by prompts on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { searchCase } from './search-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('prompt search on tensorflow', searchCase)
