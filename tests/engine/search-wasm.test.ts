/** Search by prompts on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { searchCase } from './search-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('prompt search on wasm', searchCase)
