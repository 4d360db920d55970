/** Talking with a model from the command line: its own template, answers as they come, for people and for programs. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { buildEntries, missingModel, modelFolder, removeEntries, startHeadless } from '../fixtures/built'

/** A story that goes on: what was said is the text itself, so that the model of stories can answer. */
const TEMPLATE = `{% for message in messages %}{{ message.content + ' ' }}{% endfor %}`
const TOKENS = 12

const Line = z.looseObject({ turn: z.int() })
const Message = z.object({ turn: z.int(), role: z.literal('assistant'), content: z.string() })

describe.skipIf(missingModel)('lm chat', () => {
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

  it('says what is missing to talk: a template, or a message', async () => {
    expect(await chat('')).toMatchObject({ code: 0, stdout: '' })
    await start(['models', 'add', modelFolder])
    const { code, stdout, stderr } = await chat('Hello\n')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('has no chat template')
  })
})
