/** The training loop on the wasm backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { deadCase, divergenceCase, judgeCase, learningCase, repeatCase, resumeCase, togetherCase } from './train-cases'

const backend = await openTestBackend('wasm')

describe.skipIf(!backend)('training on wasm', () => {
  learningCase()
  repeatCase()
  togetherCase()
  resumeCase()
  judgeCase()
  divergenceCase()
  deadCase()
})
