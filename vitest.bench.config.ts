/** `npm run bench [-- start|list]`: measurements on this machine, one JSON object a line. Never part of the tests. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/bench/**/*.bench.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
    pool: 'forks',
    reporters: [['default', { summary: false }]],
    disableConsoleIntercept: true,
  },
})
