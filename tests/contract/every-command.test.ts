/**
 * Every command of the program, taken from the program itself: its help, a missing argument, an option that does not exist, and its right use with
 * --json. A command without a case here fails.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeCommands, runCommandLine } from '../../src/main/cli/program'
import {
  buildEntries,
  headlessPath,
  missingModel,
  modelFolder,
  removeEntries,
  smallCorpus,
  workerPath,
} from '../fixtures/built'

let folder = ''
let corpus = ''
beforeAll(async () => {
  process.env.MONOSCOPE_BACKEND = 'wasm'
  folder = await mkdtemp(join(tmpdir(), 'monoscope-every-'))
  if (missingModel) return
  await buildEntries()
  corpus = smallCorpus(join(folder, 'stories.jsonl'), 60)
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

const never = new AbortController().signal
const program = () => ({
  ...{ entryPath: headlessPath, workerPath, rendererFolder: folder, demoFolder: join(folder, 'no-demo'), version: '0' },
})

/** Commands that have no commands of their own, with the words that lead to them. */
function leavesOf(command: Command, words: string[] = []): { words: string[]; command: Command }[] {
  const own = command.commands.filter((one) => one.name() !== 'help')
  if (own.length === 0) return [{ words, command }]
  return own.flatMap((one) => leavesOf(one, [...words, one.name()]))
}

const leaves = leavesOf(makeCommands(program(), never).command).map(({ words, command }) => ({
  name: words.join(' '),
  words,
  needsArgument: command.registeredArguments.some(({ required }) => required),
}))

async function say(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const [out, err] = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  let [stdout, stderr] = ['', '']
  out.mockImplementation((text) => ((stdout += String(text)), true))
  err.mockImplementation((text) => ((stderr += String(text)), true))
  try {
    const status = await runCommandLine(['--workspace', join(folder, 'workspace'), ...args], program(), never)
    return { status, stdout, stderr }
  } finally {
    out.mockRestore()
    err.mockRestore()
  }
}

describe.each(leaves)('$name', ({ words, needsArgument }) => {
  it('has a name without blanks or brackets, and help that begins with it', async () => {
    for (const word of words) expect(word).toMatch(/^[a-z][a-z-]*$/)
    const { status, stdout } = await say(...words, '--help')
    expect(status).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Usage: monoscope ${words.join(' ')}\\b`))
    expect(stdout).toContain('--help')
  })
  it('refuses an option that there is not', async () => {
    const { status, stderr } = await say(...words, '--no-such-option')
    expect(status).toBe(2)
    expect(stderr).toMatch(/^error: (unknown option '--no-such-option'|required option )/)
  })
  it.runIf(needsArgument)('names the argument that is missing', async () => {
    const { status, stderr, stdout } = await say('--json', ...words)
    expect(status).toBe(2)
    expect(stderr).toMatch(/^error: (missing required argument|required option)/)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'usage' } })
  })
})

/** Stands for the file of stories, which is made before the tests. */
const CORPUS = '<stories>'
/** Right uses, in an order in which each finds what it needs: the arguments behind the name, and the status when it is not 0. */
const TRAIN = ['--hook', 'blocks.2.hook_resid_post', '--d-sae', '64', '--steps', '12', '--batch-tokens', '256']
const USES: [name: string, args: string[], status?: number][] = [
  ['models add', [modelFolder]],
  ['models list', []],
  ['models text-start', ['stories260K', 'own']],
  ['datasets add', [CORPUS]],
  ['datasets list', []],
  ['datasets preview', ['stories']],
  ['datasets tokens', ['stories']],
  ['lm read', ['Once upon a time']],
  ['lm continue', ['Once upon a time', '--tokens', '3']],
  ['activations collect', ['--hook', 'blocks.1.hook_resid_post', '--tokens', '2000', '--context', '64']],
  ['activations list', []],
  ['train', [...TRAIN, '--context', '64']],
  ['runs list', []],
  // It is done, so there is nothing to go on with.
  ['runs resume', ['1'], 1],
  ['atlas', []],
  ['evaluate', []],
  ['features list', ['--limit', '3']],
  ['features show', ['3']],
  ['features neighbors', ['3']],
  ['features compare', ['3', '4']],
  ['features label', ['3', 'a label', '--author', 'me']],
  ['features tag', ['animals', '3', '4']],
  ['tags list', []],
  ['tags change', ['animals', '--name', 'beasts']],
  ['map', []],
  ['neurons', ['1', 'stories', '--features', '5', '--tokens', '2000']],
  ['search prompts', ['--positive', 'Once upon a time']],
  ['text', ['Once upon a time']],
  ['safety tag', ['3', 'toxicity', '--reason', 'why']],
  ['safety list', []],
  ['export', ['--format', 'csv']],
  ['activations remove', ['1']],
  // Nothing is damaged.
  ['repair', [], 1],
]

/** Run elsewhere, with what they need. */
const ELSEWHERE = [
  ...['serve', 'demo'], // contract/processes.test.ts, tests/web
  ...['hub status', 'hub offline'], // contract/hub
  ...['owner', 'lm chat'], // contract/lm-cli.test.ts
]

it('are all here', () => {
  const here = new Set([...USES.map(([name]) => name), ...ELSEWHERE])
  const names = leaves.map(({ name }) => name)
  expect(names.filter((name) => !here.has(name))).toEqual([])
  expect([...here].filter((name) => !names.includes(name))).toEqual([])
})

it.each(['models', 'datasets'])(
  '%s add refuses an empty name, which would be the folder one stands in',
  async (what) => {
    const { status, stdout } = await say('--json', what, 'add', '')
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'invalid-input' } })
  },
)

describe.skipIf(missingModel)('right use', () => {
  it.each(USES)('%s', async (name, args, status = 0) => {
    const found = await say('--json', ...name.split(' '), ...args.map((arg) => (arg === CORPUS ? corpus : arg)))
    expect(found.status, found.stdout + found.stderr).toBe(status)
    if (status !== 0) expect(found.stdout).toMatch(/^{"error":{"code":"(?!internal|usage)/)
    for (const line of found.stdout.split('\n').filter(Boolean)) expect(() => JSON.parse(line) as unknown).not.toThrow()
  })
})
