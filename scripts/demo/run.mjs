/** Builds one script of this folder, which uses the app's own engine, and runs it: node scripts/demo/run.mjs NAME [options]. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'vite'
import { findNode, root } from '../bootstrap.mjs'
import assemblyscript from '../vite-assemblyscript.mjs'

const [name = '', ...args] = process.argv.slice(2)
const outDir = join(root, 'node_modules', '.cache', `monoscope-${name.replaceAll('/', '-')}-${process.pid}`)
await build({
  ...{ configFile: false, root, logLevel: 'warn', plugins: [assemblyscript()] },
  build: {
    ...{ ssr: true, outDir, emptyOutDir: true, target: 'node24' },
    rolldownOptions: { input: { script: join(import.meta.dirname, `${name}.ts`) } },
  },
})
const { status } = spawnSync(findNode(), ['--max-old-space-size=8192', join(outDir, 'script.js'), ...args], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
