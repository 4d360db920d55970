/** The golden autoencoders on the wasm backend: plain operations, dense steps, sparse steps. */
import { describe } from 'vitest'
import { openTestBackend } from './goldens'
import { GOLDEN_KINDS, goldenForwardCase, goldenRouteCase } from './sae-goldens'
import { denseRoute, sparseRoute } from './sae-routes'

const backend = await openTestBackend('wasm')
const batchTokens = 64

describe.skipIf(!backend)('golden autoencoders on wasm', () => {
  for (const kind of GOLDEN_KINDS) {
    goldenForwardCase(kind, 'wasm')
    goldenRouteCase(kind, 'wasm, dense', denseRoute)
    for (const threads of [1, 2]) {
      goldenRouteCase(kind, `wasm, sparse, ${threads} threads`, (name, weights, settings) =>
        sparseRoute(name, weights, settings, { backend: 'wasm', threads, batchTokens }),
      )
    }
  }
})
