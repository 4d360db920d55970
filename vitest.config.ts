/** Test projects by folder: unit and contract tests are quick, engine tests compare numbers, web and desktop drive the built app. */
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import assemblyscript from './scripts/vite-assemblyscript.mjs'

const project = (name: string, options: Record<string, unknown> = {}) => ({
  plugins: [vue(), assemblyscript()],
  test: { name, include: [`tests/${name}/**/*.test.ts`], ...options },
})

export default defineConfig({
  test: {
    // Kept by the text of single files, it would miss changes in what the kernels import.
    fsModuleCache: false,
    projects: [
      project('unit', { testTimeout: 20_000 }),
      project('engine', { testTimeout: 180_000, pool: 'forks' }),
      project('contract', { testTimeout: 120_000, pool: 'forks' }),
      project('web', { testTimeout: 240_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false }),
      project('desktop', { testTimeout: 240_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false }),
    ],
  },
})
