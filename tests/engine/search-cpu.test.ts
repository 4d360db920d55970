/** Search by prompts on the cpu backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { searchCase } from './search-cases'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('prompt search on cpu', searchCase)
