/** The training loop on the cpu backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { deadCase, divergenceCase, judgeCase, learningCase, repeatCase, resumeCase, togetherCase } from './train-cases'

const backend = await openTestBackend('cpu')

describe.skipIf(!backend)('training on cpu', () => {
  learningCase()
  repeatCase()
  togetherCase()
  resumeCase()
  judgeCase()
  divergenceCase()
  deadCase()
})
