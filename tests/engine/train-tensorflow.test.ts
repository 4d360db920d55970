/** The training loop on the tensorflow backend. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { deadCase, divergenceCase, judgeCase, learningCase, repeatCase, resumeCase, togetherCase } from './train-cases'

const backend = await openTestBackend('tensorflow')

describe.skipIf(!backend)('training on tensorflow', () => {
  learningCase()
  repeatCase()
  togetherCase()
  resumeCase()
  judgeCase()
  divergenceCase()
  deadCase()
})
