/** Asking a model from the command line: talking in its own template, for people and for programs, and a process that keeps it loaded. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { findOwner } from '../../src/main/monoscope'
import { buildEntries, missingModel, modelFolder, removeEntries, startHeadless } from '../fixtures/built'

/** A story that goes on: what was said is the text itself, so that the model of stories can answer. */
const TEMPLATE = `{% for message in messages %}{{ message.content + ' ' }}{% endfor %}`
const TOKENS = 12

const Line = z.looseObject({ turn: z.int() })
const Message = z.object({ turn: z.int(), role: z.literal('assistant'), content: z.string() })

/** Owners that tests have started to stay. */
const stays = new Set<number>()
const WAIT = { timeout: 60_000, interval: 50 }
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
/** Process numbers of the children, as ps tells them on every system. */
const childrenOf = (pid: number) =>
  execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([parent, child]) => (parent === pid && child !== undefined ? [child] : []))

describe.skipIf(missingModel)('lm on the command line', () => {
  let folder = ''
  const start = (args: string[], typed = '') =>
    startHeadless(['--workspace', join(folder, 'workspace'), ...args], {}, typed).ended
  const chat = (typed: string, ...args: string[]) => start(['lm', 'chat', '--tokens', String(TOKENS), ...args], typed)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'monoscope-chat-cli-'))
    await buildEntries()
    const talking = join(folder, 'talking')
    await mkdir(talking)
    for (const name of await readdir(modelFolder)) await symlink(join(modelFolder, name), join(talking, name))
    await writeFile(join(talking, 'chat_template.jinja'), TEMPLATE)
    expect((await start(['models', 'add', talking])).code).toBe(0)
  }, 120_000)
  afterAll(async () => {
    for (const pid of stays) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
    await removeEntries()
  })

  it('answers every line in the conversation so far, and ends with its input', async () => {
    const { code, stdout, stderr } = await start(
      ['--json', 'lm', 'chat', '--tokens', String(TOKENS), '--system', 'Once upon a time'],
      'there was a\n\n  \nThe little\n',
    )
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)))
    expect(lines.filter(({ type }) => type === 'token')).toHaveLength(2 * TOKENS)
    const answers = lines.flatMap((line) => Message.safeParse(line).data ?? [])
    expect(answers.map(({ turn }) => turn)).toEqual([1, 2])
    // What the template makes of the conversation is what was continued, the first answer in it included.
    const first = 'Once upon a time there was a '
    for (const [prompt, answer] of [
      [first, answers[0]],
      [`${first}${answers[0]?.content} The little `, answers[1]],
    ] as const) {
      const plain = await start(['lm', 'continue', prompt, '--tokens', String(TOKENS)])
      expect(plain.stdout).toBe(`${prompt}${answer?.content}\n`)
    }
    expect(stderr).toContain('--tokens')
  })

  it('writes for people the answers alone, one after the other', async () => {
    const { code, stdout } = await chat('Once upon a time there was a\n')
    const plain = await start(['lm', 'continue', 'Once upon a time there was a ', '--tokens', String(TOKENS)])
    expect(code).toBe(0)
    expect(`Once upon a time there was a ${stdout}`).toBe(plain.stdout)
  })

  it('keeps the model in a process that stays, where that is asked for', async () => {
    const first = await start(['--stay', '600', 'lm', 'read', 'Once'])
    const owner = await findOwner(join(folder, 'workspace'))
    if (!owner) throw new Error('nobody stays')
    stays.add(owner.pid)
    expect(first).toMatchObject({ code: 0 })
    expect(first.stderr).toContain(`Process ${owner.pid} keeps`)
    const workers = childrenOf(owner.pid)
    expect((await start(['lm', 'read', 'One'])).stderr).toContain(`process ${owner.pid}`)
    expect(childrenOf(owner.pid)).toEqual(workers)
    process.kill(owner.pid)
    await vi.waitFor(() => expect(existsSync(join(folder, 'workspace', 'workspace.lock'))).toBe(false), WAIT)
    await vi.waitFor(() => expect(workers.filter(isAlive)).toEqual([]), WAIT)
  })

  it('leaves nobody behind when nobody asks, and without being asked to stay', async () => {
    await start(['--stay', '1', 'models', 'list'])
    await vi.waitFor(() => expect(existsSync(join(folder, 'workspace', 'workspace.lock'))).toBe(false), WAIT)
    await start(['models', 'list'])
    expect(existsSync(join(folder, 'workspace', 'workspace.lock'))).toBe(false)
    expect((await start(['--stay', 'long', 'models', 'list'])).code).toBe(2)
  })

  it('says what is missing to talk: a template, or a message', async () => {
    expect(await chat('')).toMatchObject({ code: 0, stdout: '' })
    await start(['models', 'add', modelFolder])
    const { code, stdout, stderr } = await chat('Hello\n')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('has no chat template')
  })
})
