/** Vite plugin: `import code from './index.ts?assemblyscript'` compiles the kernels and gives the WebAssembly module in base64. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import asc from 'assemblyscript/asc'

const SUFFIX = '?assemblyscript'
/** Shared memory needs a maximum; what is really there is what the importer brings. */
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--sharedMemory']
const MEMORY = ['--initialMemory', '2', '--maximumMemory', '65536']
const FEATURES = ['--enable', 'simd,relaxed-simd,threads,bulk-memory']

/** Compiles an entry file; throws with the compiler's own words. */
async function compile(entry) {
  const folder = dirname(entry)
  let binary = null
  const { error, stderr } = await asc.main(
    [relative(folder, entry), '--outFile', 'kernels.wasm', '--baseDir', folder, ...OPTIONS, ...MEMORY, ...FEATURES],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(join(base, name), 'utf8')
        } catch {
          return null
        }
      },
      writeFile: (_name, data) => {
        binary = data
      },
      listFiles: () => [],
    },
  )
  if (error || !binary) throw new Error(`${entry} does not compile: ${stderr.toString()}`)
  return Buffer.from(binary).toString('base64')
}

/** What was compiled in this process, by entry and by the state of all files beside it: every test project asks again. */
const compiled = new Map()

function compileOnce(entry, files) {
  const key = [entry, ...files.map((file) => `${file} ${statSync(file).mtimeMs}`)].join('\n')
  const code = compiled.get(key) ?? compile(entry)
  compiled.set(key, code)
  return code
}

export default function assemblyscript() {
  return {
    name: 'assemblyscript',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (!source.endsWith(SUFFIX)) return null
      const found = await this.resolve(source.slice(0, -SUFFIX.length), importer, { skipSelf: true })
      return found ? found.id + SUFFIX : null
    },
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null
      const entry = id.slice(0, -SUFFIX.length)
      const folder = dirname(entry)
      const files = readdirSync(folder).map((name) => join(folder, name))
      for (const file of files) this.addWatchFile(file)
      return `export default ${JSON.stringify(await compileOnce(entry, files))}`
    },
  }
}
