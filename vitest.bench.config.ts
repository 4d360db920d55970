/** `npm run bench [-- start|list|store|lm|sae|architectures|atlas|map]`: measurements on this machine, one JSON object a line. Never part of the tests. */
import { defineConfig } from 'vitest/config'
import assemblyscript from './scripts/vite-assemblyscript.mjs'

export default defineConfig({
  plugins: [assemblyscript()],
  test: {
    fsModuleCache: false,
    include: ['tests/bench/**/*.bench.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
    pool: 'forks',
    reporters: [['default', { summary: false }]],
    disableConsoleIntercept: true,
  },
})
