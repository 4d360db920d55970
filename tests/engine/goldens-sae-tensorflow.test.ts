/** The golden autoencoders on the tensorflow backend: plain operations, dense steps, sparse steps. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { GOLDEN_KINDS, goldenForwardCase, goldenRouteCase } from './sae-goldens'
import { denseRoute, sparseRoute } from './sae-routes'

const backend = await openTestBackend('tensorflow')
const batchTokens = 64

describe.skipIf(!backend)('golden autoencoders on tensorflow', () => {
  for (const kind of GOLDEN_KINDS) {
    goldenForwardCase(kind, 'tensorflow')
    goldenRouteCase(kind, 'tensorflow, dense', denseRoute)
    for (const threads of [1, 2]) {
      goldenRouteCase(kind, `tensorflow, sparse, ${threads} threads`, (name, weights, settings) =>
        sparseRoute(name, weights, settings, { backend: 'tensorflow', threads, batchTokens }),
      )
    }
  }
})
