/** The golden autoencoders on the cpu backend: plain operations, dense steps, sparse steps. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { GOLDEN_KINDS, goldenForwardCase, goldenRouteCase } from './sae-goldens'
import { denseRoute, sparseRoute } from './sae-routes'

const backend = await openTestBackend('cpu')
const batchTokens = 64

describe.skipIf(!backend)('golden autoencoders on cpu', () => {
  for (const kind of GOLDEN_KINDS) {
    goldenForwardCase(kind, 'cpu')
    goldenRouteCase(kind, 'cpu, dense', denseRoute)
    for (const threads of [1, 2]) {
      goldenRouteCase(kind, `cpu, sparse, ${threads} threads`, (name, weights, settings) =>
        sparseRoute(name, weights, settings, { backend: 'cpu', threads, batchTokens }),
      )
    }
  }
})
