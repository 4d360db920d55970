/**
 * Test projects by folder: unit and contract tests are quick, engine tests compare numbers, web and desktop drive the built app. Files of the
 * first three run two at a time, those that drive a window one after another when nothing else runs.
 */
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import assemblyscript from './scripts/vite-assemblyscript.mjs'

const project = (name: string, options: Record<string, unknown> = {}) => ({
  plugins: [vue(), assemblyscript()],
  test: { name, include: [`tests/${name}/**/*.test.ts`], ...options },
})

const together = { maxWorkers: 2, sequence: { groupOrder: 0 } }
const alone = { fileParallelism: false, sequence: { groupOrder: 1 } }

export default defineConfig({
  test: {
    // Kept by the text of single files, it would miss changes in what the kernels import.
    fsModuleCache: false,
    projects: [
      project('unit', { testTimeout: 20_000, ...together }),
      project('engine', { testTimeout: 180_000, pool: 'forks', ...together }),
      project('contract', { testTimeout: 120_000, pool: 'forks', ...together }),
      project('web', { testTimeout: 240_000, hookTimeout: 120_000, pool: 'forks', ...alone }),
      project('desktop', { testTimeout: 240_000, hookTimeout: 120_000, pool: 'forks', ...alone }),
    ],
  },
})
