/**
 * The one entry of every npm script: prepares what the task needs, then runs it with a Node >= 24 by absolute path.
 * (In a chain `node a && node b` the shell would keep the old Node.)
 */
import { join } from 'node:path'
import { ensureBuilt, ensurePackages, fail, findNode, root, runProgram, say } from './bootstrap.mjs'
import { ensureTestPrograms } from './test-programs.mjs'

const bin = (path) => join(root, 'node_modules', path)
const headless = join(root, 'out/main/headless.js')
const vitest = bin('vitest/vitest.mjs')
const vueTsc = bin('vue-tsc/bin/vue-tsc.js')

/** Each task: what it needs first, then the programs it runs one after the other. */
const tasks = {
  start: { built: true, steps: (args) => [[join(root, 'scripts/start.mjs'), ...args]] },
  demo: { built: true, steps: (args) => [[headless, 'demo', ...args]] },
  monoscope: { built: true, steps: (args) => [[headless, ...args]] },
  dev: { steps: (args) => [[bin('electron-vite/bin/electron-vite.js'), 'dev', ...args]] },
  build: { built: 'force', steps: () => [] },
  test: { built: true, programs: true, steps: (args) => [[vitest, 'run', ...args]] },
  'test:unit': { steps: (args) => [[vitest, 'run', '--project', 'unit', ...args]] },
  'test:goldens': {
    env: { MONOSCOPE_ALL_GOLDENS: '1' },
    steps: (args) => [[vitest, 'run', '--project', 'engine', 'tests/engine/goldens', ...args]],
  },
  lint: {
    steps: (args) => [
      [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0', ...args],
      [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
    ],
  },
  format: { steps: () => [[bin('prettier/bin/prettier.cjs'), '--write', '--log-level', 'warn', '.']] },
  typecheck: {
    steps: () => [
      [vueTsc, '-p', 'tsconfig.node.json'],
      [vueTsc, '-p', 'tsconfig.web.json'],
    ],
  },
  layers: {
    steps: () => [[bin('dependency-cruiser/bin/dependency-cruiser.mjs'), 'src', '--config', '.dependency-cruiser.cjs']],
  },
  bench: {
    built: true,
    programs: true,
    steps: (args) => [[vitest, 'run', '--config', 'vitest.bench.config.ts', ...benchOptions(args)]],
  },
  package: { built: 'force', steps: (args) => [[join(root, 'scripts/package.mjs'), ...args]] },
  'setup:tf': { steps: (args) => [[join(root, 'scripts/setup-tf.mjs'), ...args]] },
}
tasks.check = {
  built: 'force',
  programs: true,
  steps: () => ['lint', 'typecheck', 'layers', 'test'].flatMap((name) => tasks[name].steps([])),
}

/** Takes what a measurement may be told (`--features 1000000`, `--json`) out of the arguments; vitest would refuse it. */
function benchOptions(args) {
  const rest = []
  for (let at = 0; at < args.length; at++) {
    if (args[at] === '--features') process.env.MONOSCOPE_BENCH_FEATURES = args[++at] ?? ''
    else if (args[at] !== '--json') rest.push(args[at])
  }
  return rest
}

const [name = '', ...args] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name)
  ? tasks[name]
  : fail(`there is no task "${name}"; there are ${Object.keys(tasks).join(', ')}`)

ensurePackages()
const node = findNode()
if (task.built) ensureBuilt(node, task.built === 'force')
const env = { ...task.env, ...(task.programs ? ensureTestPrograms() : {}) }
for (const step of task.steps(args)) {
  const status = await runProgram(node, step, env)
  if (status !== 0) {
    if (name === 'check') say(`stopped at ${step[0]}`)
    process.exit(status)
  }
}
